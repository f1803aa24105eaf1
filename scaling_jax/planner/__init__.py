"""What to train, and what an experiment will resolve, before it is paid for."""
