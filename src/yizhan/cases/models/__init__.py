"""What is stored of the cases room."""
