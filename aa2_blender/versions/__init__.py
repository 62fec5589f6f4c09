"""A shot's versions v001, v002 ...: their folders, their runs, and the one that is shown."""
