"""Every read of the unions room that is more than one line, scoped to who asks."""
