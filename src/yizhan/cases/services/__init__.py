"""Every write of the cases room."""
