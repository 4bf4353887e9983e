"""Every read of the passage room that is more than one line."""
