"""How many floating-point operations a call of each network costs:
`python -m engine.engines.compact.nets.flops` prints the table."""

from dataclasses import replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from .model import Model
from .sizes import COMPACT
from .surface_heads import MAPS


def flops_per_frame(model: Model, width: int, height: int, frames: int = 8) -> dict[str, float]:
    """Call -> operations per frame (a multiply and an add are two), for a window of `frames`; `reference` is counted
    once per clip."""
    c, h, w = model.sizes.latent_channels, height // 4, width // 4
    latents, masks = torch.zeros(frames, c, h, w), torch.zeros(frames, 2, height, width)
    rgb, grey = torch.zeros(frames, 3, height, width), torch.zeros(frames, 1, height, width)
    maps = torch.zeros(frames, MAPS, height, width) if model.sizes.surface else None
    made, cost = {}, {}

    def count(name: str, call, share: int = frames) -> None:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            made[name] = call()
        cost[name] = counter.get_total_flops() / share

    model = model.eval()
    count("encode", lambda: model.encoder(torch.zeros(frames, 5, height, width)))
    count("reference", lambda: model.reference_net(latents[:1], rgb[:1]), share=1)
    count("pose", lambda: model.pose_guider(rgb, grey, 1))
    count("objects", lambda: model.object_guider(latents, grey))
    count("denoise", lambda: model.denoising_net(latents, torch.ones(frames), latents, masks, latents, grey,
                                                 made["reference"], made["pose"], made["objects"], 1, maps))
    count("decode", lambda: model.decoder(latents))
    return cost


def main() -> None:
    model = Model(replace(COMPACT, surface=True))
    parts = {"encode": model.encoder, "reference": model.reference_net, "pose": model.pose_guider,
             "objects": model.object_guider, "denoise": model.denoising_net, "decode": model.decoder}
    print("| call | M parameters | GFLOP a frame, 256x256 | 192x352 |\n| --- | --- | --- | --- |")
    square, upright = flops_per_frame(model, 256, 256), flops_per_frame(model, 192, 352)
    for name, part in parts.items():
        millions = sum(p.numel() for p in part.parameters()) / 1e6
        print(f"| {name} | {millions:.2f} | {square[name] / 1e9:.2f} | {upright[name] / 1e9:.2f} |")


if __name__ == "__main__":
    main()
