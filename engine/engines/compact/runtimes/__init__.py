"""The networks behind a few calls: numpy in, numpy out."""
