"""What the add-on and the engine agree on; standard library only."""
