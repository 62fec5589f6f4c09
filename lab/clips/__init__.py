"""Blender's world of clips: seeded MakeHuman people in rooms, rendered with every layer of their truth."""
