"""What is stored of the benefits room."""
