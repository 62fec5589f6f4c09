"""From what the network decodes to the layers that lie over the plate."""
