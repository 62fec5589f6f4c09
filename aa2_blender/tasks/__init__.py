"""Pieces of work that run in slices: generating, finding joints, a performer, output."""
