"""A shot's versions v001, v002 ...: their folders, their runs, the one that is shown."""
