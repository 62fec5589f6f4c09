"""What keeps a job from being gathered, in words for the artist."""

from typing import NamedTuple


class Problem(NamedTuple):
    """What is wrong (expected and got), what the artist can do about it, and the name of what does it for them, "" for
    nothing (panels/remedies.py)."""

    message: str
    remedy: str
    action: str = ""


class GatherError(Exception):
    """A problem that ended the gathering."""

    def __init__(self, message, remedy="", action=""):
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.action = action

    def __str__(self):
        return f"{self.message} {self.remedy}".strip()
