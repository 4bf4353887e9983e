"""Every write of the benefits room."""
