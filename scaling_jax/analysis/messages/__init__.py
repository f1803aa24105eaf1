"""What people read of an analysis: one small function for each message."""
