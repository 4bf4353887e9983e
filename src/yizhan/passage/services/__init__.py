"""Every write of the passage room: one function a mutation."""
