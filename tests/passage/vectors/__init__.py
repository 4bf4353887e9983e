"""What pings make which reminders: read by the kernel's tests here and by those of the browser's rule."""
