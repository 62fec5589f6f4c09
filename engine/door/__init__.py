"""Where requests enter the process and events leave it."""
