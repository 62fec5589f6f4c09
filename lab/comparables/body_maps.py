"""The body surface's maps that the dense rows may read: shape only, nothing of the reference's colours or light
(engine/conditions/surface_inputs.py lists the channels)."""

NORMAL, DEPTH, PARTS = slice(1, 4), slice(4, 5), slice(5, 10)
