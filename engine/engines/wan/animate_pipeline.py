"""diffusers' WanAnimatePipeline, for one segment a call, whose background is given as float pictures.

The pipeline takes lists of 8-bit pictures and hands frames on by itself. Through 8 bits, a resumed run would differ; so
each segment is a call of its own, and what was handed on is a background that is not painted over, which is the same to
the network: the same pixels, and the same mask.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from diffusers import WanAnimatePipeline
from PIL import Image


class _LastStep(Exception):  # noqa: N818  it is no error
    """Leaves the pipeline before it decodes: engine.py decodes latents, those of an earlier run, too, in one way."""

    def __init__(self, latents: torch.Tensor):
        super().__init__()
        self.latents = latents


class SegmentPipeline(WanAnimatePipeline):
    """`segment` is its call; the background of the segment is kept while it runs."""

    _background: tuple[torch.Tensor, torch.Tensor] | None = None

    def segment(self, *, image: Image.Image, poses: Sequence[Image.Image], faces: np.ndarray,
                background: np.ndarray, masks: np.ndarray, noise: np.ndarray, steps: int, guidance: float,
                after_step: Callable, prompts: dict[str, Any]) -> np.ndarray:
        """faces (F, side, side, 3) uint8; background (F, H, W, 3) 0..1; masks (F, H, W, 1), 1 where the network
        paints; F = 4k + 1, at least 5. Returns the segment's latents (channels, latents, h, w) float32, without the
        reference's."""
        count, height, width = background.shape[:3]
        stand_ins = [Image.new("RGB", (width, height))] * count
        self._background = _video(background * 2.0 - 1.0), _video(masks)

        def stepped(pipeline: Any, step: int, time: Any, values: dict) -> dict:
            after_step(pipeline, step, time, values)
            if step == steps - 1:
                raise _LastStep(values["latents"])
            return values
        try:
            self(image=image, pose_video=list(poses), face_video=[Image.fromarray(face) for face in faces],
                 background_video=stand_ins, mask_video=stand_ins, mode="replace", height=height, width=width,
                 segment_frame_length=count, num_inference_steps=steps, guidance_scale=guidance,
                 prev_segment_conditioning_frames=1, latents=torch.from_numpy(noise), output_type="latent",
                 callback_on_step_end=stepped, **prompts)
        except _LastStep as done:
            return done.latents[0, :, 1:].float().cpu().numpy()
        finally:
            self._background = None
        raise AssertionError(f"the pipeline did not make {steps} steps")

    def prepare_prev_segment_cond_latents(self, prev_segment_cond_video: torch.Tensor | None = None,
                                          background_video: torch.Tensor | None = None,
                                          mask_video: torch.Tensor | None = None, **rest: Any) -> torch.Tensor:
        """Called by the pipeline for its one segment, with pictures that stand in for the float ones."""
        if self._background is None or background_video is None:
            return super().prepare_prev_segment_cond_latents(prev_segment_cond_video, background_video, mask_video,
                                                             **rest)
        pictures, masks = (given.to(background_video.device) for given in self._background)
        return super().prepare_prev_segment_cond_latents(None, pictures, masks, **rest)


def _video(frames: np.ndarray) -> torch.Tensor:
    """(F, H, W, c) -> (1, c, F, H, W) float32."""
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(3, 0, 1, 2)[None], np.float32))
