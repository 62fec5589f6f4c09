"""Sets of weights on disk."""
