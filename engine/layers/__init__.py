"""What the network decodes -> the layers that lie over the plate."""
