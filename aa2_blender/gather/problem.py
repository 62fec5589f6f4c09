"""What keeps a job from being gathered, in words for the artist."""

from typing import NamedTuple


class Problem(NamedTuple):
    """What is wrong (expected and got), and what the artist can do about it."""

    message: str
    remedy: str


class GatherError(Exception):
    """A problem that ended the gathering."""

    def __init__(self, message, remedy=""):
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self):
        return f"{self.message} {self.remedy}".strip()
