"""What the artist sets, and the request that follows from it."""
