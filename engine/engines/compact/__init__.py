"""The embedded engine: small networks that run on any processor."""
