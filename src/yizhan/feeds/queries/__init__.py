"""Every read of the feeds room."""
