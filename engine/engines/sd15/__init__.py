"""The paper's networks at the size of Stable Diffusion 1.5, on PyTorch (docs/engines.md, "sd15-aa2")."""
