"""The process's ends: requests in, events out."""
