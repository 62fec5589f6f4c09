"""Ours: the shipped design, with the body surface and its heads (docs/method.md), trained anew like the other rows."""

from dataclasses import replace

import torch

from engine.engines.compact.nets.model import Model

from ..training import stage_surface
from ..training.stage_image import predict
from .idea import Idea


class Ours(Model):
    """The product's own networks; the product makes its frames."""

    environment = True
    first_guess = Idea.first_guess

    def __init__(self, sizes):
        super().__init__(replace(sizes, surface=True))

    def predict(self, batch, noisy, levels):
        return predict(self, batch, noisy, levels)

    def loss_of(self, batch, generator: torch.Generator, progress: float):
        return stage_surface.loss_of(self, batch, generator, progress)
