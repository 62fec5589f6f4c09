"""The sizes of a pack's parts and the free memory -> how the weights lie in memory: on the device as a whole, part by
part, or block by block.

How they lie changes the time, not the pictures. The form of the weights (16 bits, 8 bits, quantised) changes the
pictures, so the job names it; nobody chooses another by themselves. All figures are reckoned, not measured (ours).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ...contract.errors import JobError
from .segments import STEP

MB = 1e6
# What the transformer takes in memory, for one of 16 bits; for a GGUF file, for its own size. With 8 bits, norms,
# embeddings and the first and last layers stay at 16.
SHARES = {"float32": 2.0, "bf16": 1.0, "fp8": 0.55, "gguf": 1.0}
SMALLER = {"float32": "bf16", "bf16": "fp8", "fp8": "gguf"}
_BLOCKS = 2             # of the transformer that lie on the device at once if they come one by one
_LIVE = 10              # arrays of the transformer's width that live at once, for each token, in 16 bits
_DECODED = 6            # arrays of the decoder's widest layer that live at once, in 32 bits
_ROOM = 1.1             # what a device needs beyond the sum: fragments and the driver
_PROCESS_MB = 1500.0    # Python, torch and diffusers


class Lying(Enum):
    """How the weights lie, from the fastest to the smallest."""

    WHOLE = "all on the device"
    PARTS = "one part at a time on the device"
    BLOCKS = "the transformer block by block on the device"


@dataclass(frozen=True)
class Parts:
    """MB of the transformer with so many blocks at 16 bits, or of its GGUF file; and of the other parts by name, which
    work at 32 bits. width: of the transformer's tokens; base: channels of the decoder's last layer."""

    transformer_mb: float
    others_mb: Mapping[str, float]
    blocks: int
    width: int
    base: int


@dataclass(frozen=True)
class Plan:
    """form: a key of SHARES. device_mb and host_mb: at the peak."""

    form: str
    lying: Lying
    device_mb: float
    host_mb: float


def plans(parts: Parts, form: str, shape: tuple[int, int], frames: int) -> tuple[Plan, ...]:
    """Every way to lie, the fastest first. shape (w, h): the crop; frames: of the longest segment."""
    transformer, others = parts.transformer_mb * SHARES[form], sum(parts.others_mb.values())
    tokens = ((frames - 1) // STEP + 1) * (shape[0] // 16) * (shape[1] // 16)
    work = max(tokens * parts.width * 2 * _LIVE, shape[0] * shape[1] * STEP * parts.base * 4 * _DECODED) / MB
    largest = max([transformer, *parts.others_mb.values()])
    # All weights are read into the process first. What becomes 8 bits is read as 16.
    read = parts.transformer_mb * max(SHARES[form], 1.0) + others
    host = _PROCESS_MB + frames * shape[0] * shape[1] * 3 * 4 * 6 / MB + read
    on_device = {Lying.WHOLE: transformer + others, Lying.PARTS: largest,
                 Lying.BLOCKS: others + transformer * _BLOCKS / max(parts.blocks, 1)}
    return tuple(Plan(form, lying, (held + work) * _ROOM, host) for lying, held in on_device.items())


def chosen(ways: tuple[Plan, ...], free_mb: float | None) -> Plan:
    """The fastest plan that the free device memory allows; free_mb None: the processor's own memory, where all lies in
    one place. Raises JobError."""
    if free_mb is None:
        return ways[0]
    for plan in ways:
        if plan.device_mb <= free_mb:
            return plan
    last = ways[-1]
    raise JobError("out_of_memory", f"The weights as {last.form} need about {last.device_mb:.0f} MB of the graphics "
                   f"card, even with {last.lying.value}; {free_mb:.0f} MB are free.", smaller(last))


def smaller(plan: Plan) -> str:
    """The sentence that names what to try when this plan ran out of memory."""
    following = {Lying.WHOLE: Lying.PARTS, Lying.PARTS: Lying.BLOCKS}.get(plan.lying)
    if following is not None:
        return f"Generate again in this session: it goes on with the next smaller plan, {following.value}. Or close " \
               "other programs that use the graphics card."
    other = SMALLER.get(plan.form)
    form = f"Choose the weights as {other}, or a" if other else "Choose a"
    return f"{form} shorter window or a smaller crop, or close other programs that use the graphics card."
