"""Reports of faults at places: the pure rules (`life`, `deadlines`, `stars`) and what the services need around them."""
