"""What keeps a job from being gathered, in words for the artist."""

from ..embedded.engine.contract.errors import JobError


class GatherError(JobError):
    """What a shot's settings name is not there, or cannot be used as it is."""

    def __init__(self, message: str, remedy: str = "", action: str = "") -> None:
        super().__init__("gather", message, remedy, action)
