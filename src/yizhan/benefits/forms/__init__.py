"""Forms of the benefits room."""
