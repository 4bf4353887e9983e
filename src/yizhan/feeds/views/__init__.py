"""Pages and addresses of the feeds room."""
