"""From trained weights to a pack: one fp16 weights file, and graphs for onnxruntime that point into it.

    python -m lab export WEIGHTS --to FOLDER --record training.json [--steps N] [--likeness L] [--coverage]

The graphs carry no weights of their own. Their initialisers are external data at the offsets that the safetensors
header gives, in half precision behind a Cast, so that both runtimes read the very same numbers.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor

from engine.conditions.depth import CONVENTION
from engine.contract import json_reader
from engine.engines.compact.nets.model import Model, load_weights, save_weights
from engine.engines.compact.nets.parts import Decode, Denoise, Encode, Objects, Pose, Reference
from engine.engines.compact.nets.sizes import Sizes
from engine.engines.compact.nets.surface_heads import MAPS
from engine.engines.compact.nets.unet import REFERENCE_BLOCKS
from engine.packs.contents import unread_weights
from engine.packs.manifest import WEIGHTS, write
from engine.packs.weights_file import places

from .training.ablations import sizes_beside
from .training.stage_surface import keep_coverage

OPSET = 17
WINDOW, OVERLAP = 8, 2


def graphs(model: Model) -> dict[str, tuple]:
    """Name -> (module, example inputs, input names, output names)."""
    c, f, h, w = model.sizes.latent_channels, 3, 24, 16
    latents, one = torch.randn(f, h, w, c), torch.randn(1, h, w, c)
    rgb, grey = torch.rand(f, 4 * h, 4 * w, 3), torch.rand(f, 4 * h, 4 * w, 1)
    with torch.no_grad():
        reference = Reference(model)(one, rgb[:1])
        pose = Pose(model)(rgb, grey)
        objects = Objects(model)(latents, grey)
    references = [f"reference_{name}" for name in REFERENCE_BLOCKS[model.sizes.reference_blocks]]
    maps = [torch.rand(f, 4 * h, 4 * w, MAPS)] if model.sizes.surface else []
    scales = [f"{kind}_{k}" for k in range(3) for kind in ("objects", "object_mask")]
    return {
        "encode": (Encode(model), (torch.rand(f, 4 * h, 4 * w, 5),), ["pictures"], ["latents"]),
        "decode": (Decode(model), (latents,), ["latents"], ["pictures"]),
        "reference": (Reference(model), (one, rgb[:1]), ["latents", "skeleton"], references),
        "pose": (Pose(model), (rgb, grey), ["skeleton", "depth"], ["pose"]),
        "objects": (Objects(model), (latents, grey), ["latents", "mask"], scales),
        "denoise": (Denoise(model),
                    (latents, torch.rand(f), latents, torch.rand(f, 4 * h, 4 * w, 2), latents, grey, pose,
                     *reference, *objects, *maps),
                    ["noisy", "levels", "environment", "masks", "warp", "coverage", "pose", *references, *scales,
                     *["maps"] * len(maps)], ["x0", *["heads"] * len(maps)]),
    }


def export_graph(name: str, graph: tuple, folder: Path) -> None:
    """Writes NAME.onnx without weights; every size but the channels is free."""
    module, examples, inputs, outputs = graph
    free = {key: {axis: f"{key}_{axis}" for axis in range(value.dim()) if axis not in channel_axes(key, value)}
            for key, value in zip(inputs, examples, strict=True)}
    path = folder / f"{name}.onnx"
    with torch.no_grad():
        torch.onnx.export(module.eval(), examples, str(path), input_names=inputs,
                          output_names=outputs, dynamic_axes=free,
                          opset_version=OPSET, do_constant_folding=False, dynamo=False)
    graph = onnx.load(path)
    point_into_weights(graph, folder / WEIGHTS)
    onnx.save(graph, path)
    onnx.checker.check_model(str(path))


def channel_axes(name: str, value: Tensor) -> tuple[int, ...]:
    """Axes of fixed size: channels, which come last in pictures and tokens, second in what the guiders give."""
    if value.dim() < 3:
        return ()
    channels_second = name == "pose" or name.startswith("object")
    return (1,) if channels_second else (value.dim() - 1,)


def point_into_weights(graph: onnx.ModelProto, weights: Path) -> None:
    """Replaces every initialiser that is a weight by external data in `weights`, cast back to single precision."""
    held, casts = places(weights), []
    for tensor in graph.graph.initializer:
        if tensor.name not in held:
            continue
        begin, end = held[tensor.name].begin, held[tensor.name].end
        name, half = tensor.name, f"{tensor.name}.half"
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
        tensor.name, tensor.data_type, tensor.data_location = half, TensorProto.FLOAT16, TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", str(begin)), ("length", str(end - begin))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
        casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT, name=f"cast.{name}"))
    nodes = casts + list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    inside = [t.name for t in graph.graph.initializer if not t.external_data and len(t.raw_data) > 4096]
    if inside:
        raise ValueError(f"weights left inside the graph, not found in {weights.name}: {inside[:3]}")


def write_pack(model: Model, folder: Path, record: dict, steps: int) -> None:
    """Weights, graphs and pack.json; `record` says what the weights were trained on, how long, at what revision."""
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(model.state_dict(), folder / WEIGHTS)
    model = load_weights(model.sizes, folder / WEIGHTS)
    for name, graph in graphs(model).items():
        export_graph(name, graph, folder)
    told = {"name": "compact", "license": "GPL-3.0-or-later", "sizes": _plain(model.sizes), "parametrisation": "x0",
            "schedule": "cosine", "depth_convention": CONVENTION, "window": WINDOW, "overlap": OVERLAP,
            "default_steps": steps, "training": record}
    write(folder, told, unread_weights(folder))


def _plain(sizes: Sizes) -> dict:
    """As JSON has it: with lists."""
    return json_reader.parse(json.dumps(sizes.as_dict()).encode())


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="engine export", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True, help="JSON file: what the weights were trained on")
    parser.add_argument("--steps", type=int, default=1, help="default denoising steps")
    parser.add_argument("--likeness", type=float, default=0.0,
                        help="how much more the limb warp counts than it learnt (engines/compact/nets/sizes.py)")
    parser.add_argument("--coverage", action="store_true",
                        help="leave outlines as the surface's coverage has them, without the edge's head")
    options = parser.parse_args(arguments)
    sizes = replace(sizes_beside(options.weights), likeness=options.likeness)
    model = load_weights(sizes, options.weights)
    if options.coverage:
        keep_coverage(model)
    write_pack(model, options.to, json_reader.read(options.record), options.steps)
    return 0
