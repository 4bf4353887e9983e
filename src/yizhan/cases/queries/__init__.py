"""Every read of the cases room that is more than one line, scoped to who asks."""
