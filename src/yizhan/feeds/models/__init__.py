"""What is stored of the feeds room."""
