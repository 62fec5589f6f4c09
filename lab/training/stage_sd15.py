"""The parts that Animate Anyone 2 adds, and the motion modules, trained at the size of Stable Diffusion 1.5.

    python -m lab train sd15 image  --start PACK --run FOLDER --pool FOLDER --minutes 600 --device cuda
    python -m lab train sd15 motion --start FOLDER/pack --run FOLDER2 ...

Ours: everything else stays as the family published it, because our windows are small and few beside its data. The same
two stages as at compact size, the family's loss, and bfloat16 on a graphics card. The result is a pack.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.engines.compact.nets.sizes import Sizes as WindowSizes
from engine.engines.sd15.conversion import write_pack
from engine.engines.sd15.encoders import IMAGE_ENCODER, SCALE, VAE, Encoders
from engine.engines.sd15.engine import Own
from engine.engines.sd15.nets.model import ADDED, MOTION, Model, forked
from engine.engines.sd15.nets.sizes import Sizes
from engine.engines.sd15.networks import read_weights
from engine.engines.sd15.sampling import scheduler
from engine.packs.engine_manifest import EngineManifest
from engine.packs.store import read_pack

from .loop import Budget, Recipe, Run, train
from .options import add_options, feed, prepare_torch

# The skeleton's own guider learns too: its public one has seen neither our hands nor our toes.
RECIPES = {
    "image": Recipe("sd15-image", trained=(*ADDED, "pose_guider."), learning_rate=1e-4, batch=4, frames=1,
                    average_over=500),
    "motion": Recipe("sd15-motion", trained=(*ADDED, "pose_guider.", MOTION), learning_rate=5e-5, batch=1, frames=8,
                     average_over=200)}
NO_REFERENCE = 0.1      # of the batches, for guidance: as the family's training has it
OUR_STYLE = "compact"   # of the skeletons in our windows; the guider that learns from them reads no other as well
MOST_WEIGHT = 5.0       # of a step, as signal to noise plus one: the same (Hang et al. 2023)


class PackRun(Run):
    """A run that begins with a pack. Its checkpoints hold only what learns."""

    def __init__(self, folder: Path, recipe: Recipe, start: Path, device: str):
        self.pack = read_pack(start)
        if not isinstance(self.pack.manifest, EngineManifest):
            raise ValueError(f"{start}: expected a pack of sd15-aa2")
        self.own = Own.of(self.pack.manifest)
        self.encoders = Encoders.opened(start / VAE, start / IMAGE_ENCODER if self.own.sizes.image_attention else None)
        self.encoders.to(device)
        super().__init__(folder, recipe, start, device)
        for mine, theirs in zip(self.average.parameters(), self.model.parameters(), strict=True):
            if not theirs.requires_grad:
                mine.data = theirs.data     # one copy of two gigabytes is enough

    def _begun(self, start, sizes, parent) -> Model:
        weights = {name: tensor.float() for name, tensor in read_weights(start, self.pack.manifest.files).items()}
        return forked(whole(self.own.sizes), weights)

    def learns(self, name: str) -> bool:
        return any(part in name for part in self.recipe.trained)

    @property
    def told(self) -> WindowSizes:
        return WindowSizes(matte_and_shadow=False)

    def stored(self, model: torch.nn.Module) -> dict[str, Tensor]:
        return {name: weight for name, weight in model.state_dict().items() if self.learns(name)}

    def restore(self, model: torch.nn.Module, weights: dict[str, Tensor]) -> None:
        if weights.keys() != self.stored(model).keys():
            raise RuntimeError("it is of another stage, or of other networks")
        model.load_state_dict(weights, strict=False)

    def write_pack(self) -> Path:
        """The pack with the averaged weights, beside the checkpoint."""
        manifest, folder = self.pack.manifest, self.folder / "pack"
        about = {"window": manifest.window, "overlap": manifest.overlap, "default_steps": manifest.default_steps,
                 "guidance": manifest.guidance, "license": manifest.license}
        write_pack(folder, self.average.state_dict(), self.model.sizes, self.encoders, name=manifest.name,
                   shapes=manifest.shapes, pose_style=OUR_STYLE, about=about)
        return folder


def whole(sizes: Sizes) -> Sizes:
    """The same networks with every part of the paper; parts that are on stay as they are."""
    return replace(sizes, environment=True, blending="gated" if sizes.blending == "off" else sizes.blending,
                   modulation="residual" if sizes.modulation == "off" else sizes.modulation)


class Family:
    """The family's loss and picture, with a pack's encoders."""

    def __init__(self, encoders: Encoders):
        self.encoders, self.schedule = encoders, scheduler()

    def loss_of(self, model: Model, batch: dict, generator: torch.Generator, progress: float) -> tuple[Tensor, dict]:
        """The error of the velocity at one random step for each clip, in squares. A step counts by its signal to noise
        ratio (min-SNR)."""
        clips, frames = batch["target"].shape[:2]
        true = self._encoded(batch["target"].flatten(0, 1))
        noise = torch.randn(true.shape, generator=generator, device=true.device)
        count = len(self.schedule.alphas_cumprod)
        step = torch.randint(count, (clips,), generator=generator, device=true.device).repeat_interleave(frames)
        drop = bool(torch.rand((), generator=generator, device=true.device) < NO_REFERENCE)
        made = self.velocity(model, batch, self.schedule.add_noise(true, noise, step), step, drop)
        error = F.mse_loss(made, self.schedule.get_velocity(true, noise, step), reduction="none").mean(dim=(1, 2, 3))
        share = self.schedule.alphas_cumprod.to(step.device)[step]
        weight = (MOST_WEIGHT * (1 - share)).clamp(max=1)      # 1 - share = 1 / (signal to noise + 1)
        return (weight * error).mean(), {"velocity": error.mean().detach()}

    def velocity(self, model: Model, batch: dict, noisy: Tensor, step: Tensor, drop: bool = False) -> Tensor:
        """v (n, 4, h, w) float32 of noisy latents under the batch's conditions; drop: without the reference."""
        clips = batch["target"].shape[0]
        flat = {name: batch[name].flatten(0, 1) for name in
                ("environment", "masks", "skeleton", "depth", "objects", "object_mask")}
        with torch.no_grad():
            environment, objects = (self._encoded(flat[name]) for name in ("environment", "objects"))
            reference = self._encoded(batch["reference"])
            token = self.encoders.token(batch["reference"][:, :3])
            features = None if drop else model.reference_net(reference, token)
        tokens = torch.zeros_like(token) if drop and token is not None else token
        guided = model.object_guider(objects, F.max_pool2d(flat["object_mask"], SCALE))
        pose = model.pose_guider(flat["skeleton"], flat["depth"], clips)
        return model.denoising_net(noisy, step, pose, clips=clips, tokens=tokens, reference=features,
                                   environment=environment, masks=F.avg_pool2d(flat["masks"], SCALE),
                                   objects=guided).float()

    def picture_of(self, model: Model, batch: dict):
        """A row a clip: reference, environment, skeleton, what one step makes of noise alone, and the truth."""
        clips, frames = batch["target"].shape[:2]
        last = len(self.schedule.alphas_cumprod) - 1
        with torch.no_grad():
            noise = torch.randn_like(self._encoded(batch["target"].flatten(0, 1)))
            made = -self.velocity(model, batch, noise, torch.full((len(noise),), last, device=noise.device))
            made = self.encoders.decode(made).unflatten(0, (clips, frames))
        rows = [torch.cat([batch["reference"][k, :3], *(batch[name][k, 0, :3] for name in ("environment", "skeleton")),
                           made[k, 0], batch["target"][k, 0, :3]], dim=2) for k in range(clips)]
        return (torch.cat(rows, dim=1).permute(1, 2, 0).clamp(0, 1) * 255).byte().cpu().numpy()

    def _encoded(self, pictures: Tensor) -> Tensor:
        """(n, 5 or 3, H, W) of a batch -> latents, in single precision."""
        with torch.no_grad(), torch.autocast(pictures.device.type, enabled=False):
            return self.encoders.encode(pictures[:, :3].float())


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lab train sd15", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=RECIPES)
    add_options(parser)
    parser.add_argument("--start", type=Path, required=True, help="the pack to begin with")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    prepare_torch(options.threads)
    recipe = RECIPES[options.stage]
    run = PackRun(options.run, replace(recipe, batch=options.batch or recipe.batch), options.start, options.device)
    print(learn(run, feed(run, options, options.seed), Budget(options.minutes, options.steps), options.seed))
    return 0


def learn(run: PackRun, batches: Iterator[dict[str, Tensor]], budget: Budget, seed: int) -> Path:
    """Train until the budget is spent; returns the folder of the pack."""
    family = Family(run.encoders)
    train(run, batches, budget, family.loss_of, family.picture_of, seed)
    return run.write_pack()
