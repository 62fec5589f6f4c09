"""The character as a clothed body surface: fitted to the reference, moved to a frame's joints,
drawn with its own pixels."""
