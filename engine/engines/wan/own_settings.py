"""A job's settings for the Wan engines alone -> checked values (job.settings.engines in job.json)."""

from typing import Any

from ...contract.errors import JobError
from ...contract.fields import FieldError, build, checked, flag, or_none, record, text, whole_text

# One prompt serves every shot, so that its embedding is made once. What the character looks like comes from the
# reference.
PROMPT = "A person moves in the scene."


@record
class OwnSettings:
    """prompt: what the frames show; negative: what they must not show, read only with guidance above 1. variant: the
    form of the weights, one that the pack names; None for its first. surface: whether the reference on the body surface
    is shown to the network (wan-vace)."""

    prompt: str = checked(text, default=PROMPT)
    negative: str = checked(whole_text, default="")
    variant: str | None = checked(or_none(text), default=None)
    surface: bool = checked(flag, default=True)


def read_own(values: dict[str, Any]) -> OwnSettings:
    """Raises JobError."""
    try:
        return build(OwnSettings, dict(values))
    except FieldError as error:
        raise JobError("settings_invalid", f"settings.engines: {error}.") from None
