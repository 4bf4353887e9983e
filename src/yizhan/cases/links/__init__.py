"""Reading links: who is whose contact, what is missing, and who follows."""
