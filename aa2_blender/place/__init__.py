"""Lays the frames of a job folder into a scene. Laying them twice gives the same result as once."""
