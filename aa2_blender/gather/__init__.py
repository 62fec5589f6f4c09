"""Turns a scene into a job folder, leaving the scene as it was."""
