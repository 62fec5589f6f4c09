"""Wan's video models behind engines/base.py, through diffusers and torch: Wan2.1-VACE and Wan2.2-Animate."""
