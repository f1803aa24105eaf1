"""Every law on one set of runs, and what tests them."""
