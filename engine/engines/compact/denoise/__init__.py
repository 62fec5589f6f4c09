"""From noise to the latents of a whole shot, in numpy, once for all runtimes."""
