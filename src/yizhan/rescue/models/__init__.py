"""What is stored of the rescue room."""
