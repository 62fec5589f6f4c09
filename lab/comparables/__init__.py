"""The ideas of the methods that the paper compares itself with, each built from our own blocks and trained alike."""
