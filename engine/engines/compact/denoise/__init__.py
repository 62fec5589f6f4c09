"""Noise -> the latents of a whole shot, in numpy, the same code for all runtimes."""
