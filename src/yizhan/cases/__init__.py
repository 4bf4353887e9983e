"""Three into: people, visits, and a problem list that becomes a results list."""
