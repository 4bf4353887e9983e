"""Pages of the benefits room."""
