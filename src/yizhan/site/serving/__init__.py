"""Running it all: Caddy in front of Django's workers and the hot application, started and stopped as one."""
