"""Whole Wan pipelines at a size that takes seconds on a processor, from random weights, saved as packs.

Plain random weights tell nothing: they hardly react to the pose, and nothing flows from frame to frame, so a test with
swapped conditions or a lost hand-on would pass. These are stirred until every condition counts in every frame; what a
pack is worth is asserted in test_wan_conditions.py.
"""
import sys
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanAnimateTransformer3DModel,
    WanVACETransformer3DModel,
)
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

from engine.engines.wan.own_settings import PROMPT
from engine.engines.wan.prompt import LENGTH, kept_path
from engine.packs.engine_manifest import write_engine

TEXT = 16                       # channels of the prompt's embedding
SHAPES = ["96x64", "32x48"]
_STRENGTHS = {"attn1.to_v": 1.2, "attn1.to_out": 1.2, "attn2.to_v": 0.6, "attn2.to_out": 0.6}
_COMMON = {"patch_size": (1, 2, 2), "num_attention_heads": 2, "attention_head_dim": 12, "out_channels": 16,
           "text_dim": TEXT, "freq_dim": 32, "ffn_dim": 32, "cross_attn_norm": True,
           "qk_norm": "rms_norm_across_heads", "rope_max_seq_len": 32}


def write_pack(folder: Path, engine: str, *, window: int = 13, overlap: int = 5, variants: dict | None = None) -> Path:
    """A folder of weights in diffusers' layout, with pack.json and the embedding of the usual prompt."""
    torch.manual_seed(11)
    vae = AutoencoderKLWan(base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1,
                           temperal_downsample=[False, True, True])
    transformer = _vace() if engine == "wan-vace" else _animate()
    _stir(transformer, vae)
    transformer.save_pretrained(folder / "transformer")
    vae.save_pretrained(folder / "vae")
    UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0).save_pretrained(
        folder / "scheduler")
    if engine == "wan-animate":
        _save_image_encoder(folder)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    about = {"engine": engine, "name": f"tiny {engine}", "license": "none", "window": window, "overlap": overlap,
             "default_steps": 2, "guidance": 1.0, "shapes": SHAPES,
             "variants": variants or {"float32": {"files": []}, "bf16": {"files": []}, "fp8": {"files": []}}}
    write_engine(folder, about, names)
    write_prompts(folder)
    return folder


def write_prompts(folder: Path) -> None:
    """The embeddings that a text encoder would have left: it is the largest part of a real pack, and not here."""
    from safetensors.torch import save_file

    from engine.packs.store import read_pack
    (folder / "prompts").mkdir(exist_ok=True)
    for place, prompt in enumerate((PROMPT, "Somebody else.", "")):
        torch.manual_seed(place)
        save_file({"embedding": torch.randn(1, LENGTH, TEXT)}, kept_path(folder, prompt, read_pack(folder).hash))


def _vace() -> WanVACETransformer3DModel:
    return WanVACETransformer3DModel(**_COMMON, in_channels=16, num_layers=2, vace_layers=[0, 1], vace_in_channels=96)


def _animate() -> WanAnimateTransformer3DModel:
    return WanAnimateTransformer3DModel(
        **_COMMON, in_channels=36, latent_channels=16, num_layers=2, image_dim=4, added_kv_proj_dim=24,
        motion_encoder_channel_sizes={"4": 16, "8": 16, "16": 16}, motion_encoder_size=16, motion_style_dim=8,
        motion_dim=4, motion_encoder_dim=16, face_encoder_hidden_dim=16, face_encoder_num_heads=2,
        inject_face_latents_blocks=2)


def _save_image_encoder(folder: Path) -> None:
    config = CLIPVisionConfig(hidden_size=4, projection_dim=4, num_hidden_layers=2, num_attention_heads=2, image_size=4,
                              intermediate_size=16, patch_size=1)
    CLIPVisionModel(config).save_pretrained(folder / "image_encoder")
    CLIPImageProcessor(crop_size=4, size=4).save_pretrained(folder / "image_processor")


def _stir(transformer: torch.nn.Module, vae: torch.nn.Module) -> None:
    """Noise on every matrix; more where frames meet, so that each frame depends on all others, and where the prompt
    comes in, which reaches the first frame faintly."""
    with torch.no_grad():
        for name, value in transformer.named_parameters():
            if value.ndim > 1:
                strength = next((s for part, s in _STRENGTHS.items() if part in name), 0.2)
                value.add_(torch.randn_like(value) * strength)
            elif "attn1.norm_q" in name or "attn1.norm_k" in name:
                value.mul_(6.0)
        for value in vae.parameters():
            if value.ndim > 1:
                value.add_(torch.randn_like(value) * 0.04)


if __name__ == "__main__":
    write_pack(Path(sys.argv[1]), sys.argv[2])
