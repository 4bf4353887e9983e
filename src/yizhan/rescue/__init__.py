"""Roadside rescue: who is stranded, who can help, who is sent, and what proves that they helped."""
