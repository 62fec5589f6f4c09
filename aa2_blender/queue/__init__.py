"""The shots that wait, kept on disk, and the session that works on them."""
