"""How the embedded model is made and measured; never ships, and nothing that ships imports it."""
