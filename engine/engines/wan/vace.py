"""Wan2.1-VACE behind engines/base.py: it paints inside a mask of the plate, guided by a picture of the pose there and
by references. Finished frames on both sides enter as frames without a mask."""

from typing import Any

import numpy as np

from ...conditions.bundle import Bundle, ReferenceBundle
from ..base import RegionRule, Sampling, Want, Watch
from .engine import WanEngine
from .load import hook_stops, load_networks, load_scheduler
from .own_settings import read_own
from .segments import Segment, segment_noise, with_given

_LEAST_SEEN = 0.02      # of the surface in a frame: below it, it is no further reference (ours)


class VaceEngine(WanEngine):
    name = "wan-vace"
    pose_style = "vace"
    wants = frozenset({Want.WARP, Want.PROMPT})
    rule = RegionRule(grow=1 / 60)

    def _load(self, variant: str | None, form: str, watch: Watch) -> Any:
        from diffusers import WanVACEPipeline, WanVACETransformer3DModel
        transformer, vae = load_networks(self.pack, variant, form, WanVACETransformer3DModel, watch)
        pipeline = WanVACEPipeline(tokenizer=None, text_encoder=None, vae=vae, transformer=transformer,
                                   scheduler=load_scheduler(self.pack.folder))
        hook_stops([*transformer.blocks, *transformer.vace_blocks, vae.encoder, vae.decoder], self._stop_asked)
        return pipeline

    def _sample(self, segment: Segment, bundle: Bundle, reference: ReferenceBundle, before: np.ndarray | None,
                after: np.ndarray | None, sampling: Sampling, prompts: dict[str, Any]) -> np.ndarray:
        import torch
        surface = read_own(dict(sampling.own)).surface
        pictures, masks = with_given(control(bundle, surface), bundle.region, segment, before, after)
        # diffusers 0.42.1 fails where a segment has fewer latents than references
        references = pictures_of(bundle, segment, reference, surface)[:segment.latents]
        height, width = pictures.shape[1:3]
        vae = self.pipeline.vae.config
        noise = segment_noise(sampling.seed, segment,
                              (vae.z_dim, height // vae.scale_factor_spatial, width // vae.scale_factor_spatial),
                              len(references))
        latents = self.pipeline(
            video=_video(pictures), mask=_video(np.broadcast_to(masks, pictures.shape)), reference_images=references,
            height=height, width=width, num_frames=segment.count, num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance, latents=torch.from_numpy(noise), output_type="latent",
            callback_on_step_end=self._stepped, **prompts).frames
        return latents[0, :, len(references):].float().cpu().numpy()


def control(bundle: Bundle, surface: bool) -> np.ndarray:
    """(F, H, W, 3) float32: the plate outside M_f; inside, the skeleton on black, and under it the reference on the
    body surface if `surface` (ours: it shows how the character looks from here, where VACE was trained with the
    skeleton alone)."""
    inside = bundle.skeleton
    if surface:
        drawn = bundle.skeleton.max(axis=-1, keepdims=True) > 0
        inside = np.where(drawn, bundle.skeleton, bundle.warp[..., :3] * bundle.warp[..., 3:])
    return bundle.plate * (1.0 - bundle.region) + inside * bundle.region


def pictures_of(bundle: Bundle, segment: Segment, reference: ReferenceBundle, surface: bool) -> list[Any]:
    """VACE's references, as PIL pictures of the crop's size: the character cut out on white, and with `surface` the
    body surface in the frame of this segment that shows most of it."""
    found = [reference.picture if reference.character is None else _on_white(reference.character.cut_out)]
    if surface:
        made = slice(segment.before, segment.before + segment.made)
        seen = bundle.warp[made, ..., 3].mean(axis=(1, 2))
        if seen.max() > _LEAST_SEEN:
            found.append(_on_white(bundle.warp[made][int(seen.argmax())]))
    return [as_pil(picture) for picture in found]


def as_pil(picture: np.ndarray) -> Any:
    """(H, W, 3) float32 0..1 -> a PIL picture."""
    from PIL import Image
    return Image.fromarray(np.rint(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8))


def _on_white(cut_out: np.ndarray) -> np.ndarray:
    return cut_out[..., :3] * cut_out[..., 3:] + (1.0 - cut_out[..., 3:])


def _video(frames: np.ndarray) -> Any:
    """(F, H, W, 3) 0..1 -> what the pipeline takes, (1, F, 3, H, W), as float."""
    import torch
    return torch.from_numpy(np.ascontiguousarray(np.clip(frames, 0.0, 1.0).transpose(0, 3, 1, 2)[None], np.float32))
