"""The steps behind build.py: one file a step, standard library only."""
