"""Wan2.2-Animate behind engines/base.py: it replaces a character, guided by the skeleton, the driver's face and one
reference. Finished frames on both sides enter as background without a mask."""

from typing import Any

import numpy as np

from ...conditions.bundle import Bundle, ReferenceBundle
from ..base import RegionRule, Sampling, Want, Watch
from .engine import WanEngine
from .load import hook_stops, load_input_maker, load_model, load_networks, load_scheduler
from .segments import Segment, segment_noise, with_given
from .vace import as_pil


class AnimateEngine(WanEngine):
    name = "wan-animate"
    pose_style = "wan"
    wants = frozenset({Want.FACE, Want.PROMPT})
    rule = RegionRule(kind="box", grow=9 / 480)     # three dilations of 7 x 7 pixels, then the bounding box
    least = 5

    def _load(self, variant: str | None, form: str, watch: Watch) -> Any:
        import torch
        from diffusers import WanAnimateTransformer3DModel
        from transformers import CLIPImageProcessor, CLIPVisionModel

        from .animate_pipeline import SegmentPipeline
        folder = self.pack.folder
        transformer, vae = load_networks(self.pack, variant, form, WanAnimateTransformer3DModel, watch)
        encoder = load_model(folder, "image_encoder", CLIPVisionModel, torch.float32)
        processor = load_input_maker(folder, "image_processor", CLIPImageProcessor)
        pipeline = SegmentPipeline(tokenizer=None, text_encoder=None, vae=vae, transformer=transformer,
                                   scheduler=load_scheduler(folder), image_encoder=encoder, image_processor=processor)
        hook_stops([*transformer.blocks, vae.encoder, vae.decoder, encoder], self._stop_asked)
        return pipeline

    def _sample(self, segment: Segment, bundle: Bundle, reference: ReferenceBundle, before: np.ndarray | None,
                after: np.ndarray | None, sampling: Sampling, prompts: dict[str, Any]) -> np.ndarray:
        background, masks = with_given(bundle.plate * (1.0 - bundle.region), bundle.region, segment, before, after)
        height, width = background.shape[1:3]
        vae = self.pipeline.vae.config
        noise = segment_noise(sampling.seed, segment,
                              (vae.z_dim, height // vae.scale_factor_spatial, width // vae.scale_factor_spatial), 1)
        return self.pipeline.segment(
            image=as_pil(reference.picture), poses=[as_pil(one) for one in bundle.skeleton],
            faces=bundle.face, background=background, masks=masks, noise=noise,
            steps=sampling.steps, guidance=sampling.guidance, after_step=self._stepped, prompts=prompts)
