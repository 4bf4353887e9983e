"""Every write of the unions room: one function a mutation."""
