"""Every write of the feeds room."""
