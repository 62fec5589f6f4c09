"""What generated clips are worth, measured against the truth."""
