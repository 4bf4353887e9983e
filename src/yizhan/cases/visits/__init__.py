"""Reading visits and rounds, the order of stops, and what phones send."""
