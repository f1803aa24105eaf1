"""Arrays in, a fit out: its status, its law, and draws of what that might be."""
