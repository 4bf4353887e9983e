"""What partners read of the directory, and what is pushed to them."""
