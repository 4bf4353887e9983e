"""Every write of the rescue room."""
