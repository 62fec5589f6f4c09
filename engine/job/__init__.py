"""A job folder -> frames, previews or delivered files."""
