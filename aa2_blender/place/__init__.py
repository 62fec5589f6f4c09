"""Lays the frames of a job folder into a scene, as often as asked with the same result."""
