"""A pack's folder in diffusers' layout -> its parts in memory, strictly and without a network.

diffusers and transformers only warn if a weight is missing, and then run with random numbers. So every key and shape is
compared with the class's own before a weight is read, and what the loaders say is an error here.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from ...contract import json_reader
from ...contract.errors import JobError
from ...packs.engine_manifest import EngineManifest
from ...packs.store import Pack
from ..base import Watch

os.environ["HF_HUB_OFFLINE"] = "1"  # before diffusers is imported: nothing is ever fetched

INDEX = "diffusion_pytorch_model.safetensors.index.json"
WEIGHTS = "diffusion_pytorch_model.safetensors"
SCHEDULERS = ("UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler")
_AGAIN = "Install the weights again."
_SHOWN = 3      # keys that a message names


def load_networks(pack: Pack[EngineManifest], variant: str | None, form: str, kind: type,
                  watch: Watch) -> tuple[Any, Any]:
    """(transformer of class `kind`, VAE). form: of memory.SHARES. Looks for a stop after each. Raises JobError."""
    import torch
    from diffusers import AutoencoderKLWan
    transformer = _transformer(pack, variant, form, kind, torch.float32 if form == "float32" else torch.bfloat16)
    watch.check()
    check_keys(pack.folder, "vae", AutoencoderKLWan)
    vae = load_model(pack.folder, "vae", AutoencoderKLWan, torch.float32)
    watch.check()
    return transformer, vae


def _transformer(pack: Pack[EngineManifest], variant: str | None, form: str, kind: type, dtype: Any) -> Any:
    import torch
    if form == "gguf":
        files = pack.manifest.files_of(variant)
        return load_quantised(pack.folder, next(name for name in files if name.endswith(".gguf")), kind, dtype)
    check_keys(pack.folder, "transformer", kind)
    transformer = load_model(pack.folder, "transformer", kind, dtype)
    if form == "fp8":
        transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
    return transformer


def config_of(folder: Path, part: str, name: str = "config.json") -> dict[str, Any]:
    """Raises JobError."""
    path = folder / part / name
    try:
        value = json_reader.read(path)
    except OSError as error:
        raise JobError("pack_missing", f"{path} cannot be read: {error.strerror}.", _AGAIN) from None
    except json_reader.Unreadable as error:
        raise JobError("pack_invalid", f"{path}: {error}.", _AGAIN) from None
    if not isinstance(value, dict):
        raise JobError("pack_invalid", f"{path}: expected an object.", _AGAIN)
    return value


def check_keys(folder: Path, part: str, kind: type) -> None:
    """Compare the names and shapes in the files of a part with those of its class, without reading a weight. Raises
    JobError."""
    import torch
    with torch.device("meta"):
        model = kind.from_config(config_of(folder, part))
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = dict(_stored(folder / part))
    wrong = sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])
    _refuse(folder / part, sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys()), wrong)


def load_model(folder: Path, part: str, kind: type, dtype: Any) -> Any:
    """A model of diffusers or transformers, in eval mode. Raises JobError."""
    with _as_pack_errors(folder / part):
        model, said = kind.from_pretrained(str(folder / part), dtype=dtype, local_files_only=True, use_safetensors=True,
                                           output_loading_info=True)
    _refuse(folder / part, sorted(said["missing_keys"]), sorted(said["unexpected_keys"]),
            sorted(str(one) for one in said["mismatched_keys"]))
    return model.eval().requires_grad_(False)


def load_quantised(folder: Path, file: str, kind: type, dtype: Any) -> Any:
    """The transformer from a GGUF file of the pack; its config from the folder, so that nobody asks the Hub. Raises
    JobError."""
    import torch
    from diffusers import GGUFQuantizationConfig
    with torch.device("meta"):
        wanted = kind.from_config(config_of(folder, "transformer")).state_dict().keys()
    with _as_pack_errors(folder / file):
        found = _quantised_names(folder / file, wanted)
    _refuse(folder / file, sorted(wanted - found), [], [])
    with _as_pack_errors(folder / file):
        model = kind.from_single_file(str(folder / file), config=str(folder), subfolder="transformer", dtype=dtype,
                                      quantization_config=GGUFQuantizationConfig(compute_dtype=dtype),
                                      local_files_only=True)
    return model.eval().requires_grad_(False)


def _quantised_names(path: Path, wanted: Collection[str]) -> set[str]:
    """diffusers' names of the weights in a GGUF file. The file may have Wan's own, which diffusers translates:
    the reading that misses fewer counts."""
    import torch
    from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers
    from gguf import GGUFReader
    found = {one.name: torch.empty([int(side) for side in reversed(one.shape)], device="meta")
             for one in GGUFReader(path).tensors}
    read = (found.keys(), convert_wan_transformer_to_diffusers(dict(found)).keys())
    return set(min(read, key=lambda names: len(set(wanted) - names)))


def load_scheduler(folder: Path) -> Any:
    """Raises JobError."""
    import diffusers
    name = config_of(folder, "scheduler", "scheduler_config.json").get("_class_name")
    if name not in SCHEDULERS:
        raise JobError("pack_invalid", f"{folder / 'scheduler'}: expected one of {', '.join(SCHEDULERS)}, got "
                       f"{str(name)[:60]!r}.", _AGAIN)
    with _as_pack_errors(folder / "scheduler"):
        return getattr(diffusers, name).from_pretrained(str(folder / "scheduler"), local_files_only=True)


def load_input_maker(folder: Path, part: str, kind: Any) -> Any:
    """What makes a model's input: an image processor, or a tokenizer. Raises JobError."""
    with _as_pack_errors(folder / part):
        return kind.from_pretrained(str(folder / part), local_files_only=True)


def hook_stops(modules: list[Any], look: Callable[[], None]) -> None:
    """Make every forward pass of these modules look for a stop first, so that no step has to end before it."""
    for module in modules:
        module.register_forward_pre_hook(lambda *_: look())


def _stored(folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """(name, shape) of every tensor in the part's files."""
    from safetensors import SafetensorError, safe_open
    names = [WEIGHTS]
    if (folder / INDEX).exists():
        names = sorted(set(config_of(folder, ".", INDEX).get("weight_map", {}).values()))
    for name in names:
        if Path(name).name != name:
            raise JobError("pack_invalid", f"{folder / INDEX}: expected names of files, got {name[:60]!r}.", _AGAIN)
        try:
            with safe_open(str(folder / name), framework="pt") as file:
                for key in file.keys():     # noqa: SIM118  it is no dictionary
                    yield key, tuple(file.get_slice(key).get_shape())
        except OSError as error:
            raise JobError("pack_missing", f"{folder / name} cannot be read: {error}.", _AGAIN) from None
        except SafetensorError as error:
            raise JobError("pack_corrupt", f"{folder / name}: {error}.", _AGAIN) from None


def _refuse(place: Path, missing: list[str], unknown: list[str], wrong: list[str]) -> None:
    """Raise JobError if any key is missing, unknown, or has another shape."""
    found = [f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{' ...' if len(names) > _SHOWN else ''}"
             for what, names in (("missing", missing), ("unknown", unknown), ("of another shape", wrong)) if names]
    if found:
        raise JobError("pack_invalid", f"{place}: the weights are not those of this engine; {'; '.join(found)}.",
                       "Choose the weights that this engine names, in diffusers' layout.")


@contextlib.contextmanager
def _as_pack_errors(place: Path) -> Iterator[None]:
    """What the loaders raise for a wrong file -> JobError. They also log it, which says nothing more."""
    heard = [logging.getLogger(name) for name in ("diffusers", "transformers")]
    levels = [one.level for one in heard]
    for one in heard:
        one.setLevel(logging.ERROR)
    try:
        yield
    except (OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError) as error:
        raise JobError("pack_invalid", f"{place}: cannot be loaded: {str(error)[:300]}", _AGAIN) from None
    finally:
        for one, level in zip(heard, levels, strict=True):
            one.setLevel(level)
