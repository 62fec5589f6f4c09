"""The networks of the Animate Anyone family, with the four parts that Animate Anyone 2 adds, as torch modules."""
