"""The shots that wait, stored on disk, and the session that works on them."""
