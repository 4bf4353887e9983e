"""The stream: pings in, reminders out, in one process that never waits for the database."""
