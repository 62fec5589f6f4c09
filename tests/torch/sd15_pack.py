"""A tiny pack of sd15-aa2 with random weights that react to everything, and a job whose frames it makes."""

from dataclasses import replace

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKL
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from engine.conditions import frames
from engine.contract import files, jobs
from engine.contract.skeleton import BODY
from engine.engines.sd15.conversion import write_pack
from engine.engines.sd15.encoders import Encoders
from tests.torch.sd15_tiny import SHALLOW, random_model
from tests.unit.walker import HEIGHT_PX, drawn_reference, figure, write_job

SHAPES, WINDOW, OVERLAP, STEPS = ((48, 72), (64, 64), (72, 48)), 5, 2, 2


def random_encoders(seed=9):
    """An autoencoder and an image encoder that tell pictures apart."""
    torch.manual_seed(seed)
    levels = 4
    vae = AutoencoderKL(block_out_channels=(8,) * levels, norm_num_groups=4, layers_per_block=1,
                        down_block_types=("DownEncoderBlock2D",) * levels,
                        up_block_types=("UpDecoderBlock2D",) * levels, latent_channels=4)
    clip = CLIPVisionModelWithProjection(CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14,
        projection_dim=SHALLOW.token_width))
    with torch.no_grad():
        for weight in clip.parameters():
            if weight.ndim > 1:
                weight.normal_(std=weight[0].numel() ** -0.5)
    return Encoders(vae, clip)


def make_pack(folder, sizes=SHALLOW):
    write_pack(folder, random_model(sizes).state_dict(), sizes, random_encoders(), name="tiny", shapes=SHAPES,
               about={"window": WINDOW, "overlap": OVERLAP, "default_steps": STEPS, "guidance": 1.5})
    return folder


def make_job(folder, count, **fields):
    """A walking figure, and a cut-out reference with given joints: nobody has to be looked for. It has no hips, so that
    no body surface is fitted, which this engine does not read."""
    settings = fields.pop("settings", jobs.Settings())
    joints = tuple((float(x), float(y), 0.0 if name.endswith("hip") else 1.0)
                   for name, (x, y) in zip(BODY, figure()[:, :2], strict=True))
    fields.setdefault("reference", jobs.Reference(joints=joints, height_px=HEIGHT_PX,
                                                       depths=(4.0,) * len(BODY)))
    write_job(str(folder), count, settings=replace(settings, engine="sd15-aa2", guidance=None, grain=False,
                                                   blur=False), **fields)
    cut_out = np.dstack([drawn_reference(), np.ones((256, 256), np.float32)])
    cut_out[:8, :, 3] = 0
    frames.write_picture(files.path(str(folder), files.REFERENCE), frames.as_bits(cut_out))
    return folder


def objects_picture(size=(320, 240)):
    """A disc at 4 m where the figure walks."""
    picture = np.zeros((size[1], size[0]), np.uint16)
    cv2.circle(picture, (110, 150), 25, (49000,), -1)
    return picture
