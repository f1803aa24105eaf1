"""From batches to records."""
