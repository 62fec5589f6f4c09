"""The engines that generate, one folder each."""
