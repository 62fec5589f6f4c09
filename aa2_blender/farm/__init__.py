"""Shots of a file become the files that a render farm runs."""
