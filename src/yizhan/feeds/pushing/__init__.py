"""Sends partners what changed, keeps what became of it, and never forgets what still has to go."""
