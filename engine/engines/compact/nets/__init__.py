"""The paper's networks at any size, as torch modules."""
