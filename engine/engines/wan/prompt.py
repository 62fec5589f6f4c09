"""A prompt -> its embedding, made once by the text encoder and then kept beside the weights.

The text encoder is by far the largest part that is not needed for each step. One prompt serves all shots, so it is
opened only for a prompt that nobody used before, and closed again.
"""

import gc
import hashlib
import logging
from pathlib import Path
from typing import Any

from ...contract.errors import JobError
from ...contract.files import write_whole
from .load import load_input_maker, load_model

FOLDER = "prompts"
ENCODER, TOKENIZER = "text_encoder", "tokenizer"
LENGTH = 512        # tokens: as the pipelines call it
_NAME = "embedding"
log = logging.getLogger(__name__)


def embedding_of(folder: Path, prompt: str, pack_hash: str, dtype: Any) -> Any:
    """(1, LENGTH, channels) on the processor, by the pack in this folder. pack_hash counts, because another pack in the
    same folder has another encoder. Raises JobError."""
    path = kept_path(folder, prompt, pack_hash)
    kept = _kept(path)
    if kept is None:
        kept = _encoded(folder, prompt)
        _keep(path, kept)
    return kept.to(dtype)


def kept_path(folder: Path, prompt: str, pack_hash: str) -> Path:
    """The file that an embedding is kept in."""
    return folder / FOLDER / f"{hashlib.sha256(f'{pack_hash} {prompt}'.encode()).hexdigest()[:32]}.safetensors"


def _kept(path: Path) -> Any:
    """None if there is nothing, or nothing that can be read."""
    from safetensors import SafetensorError
    from safetensors.torch import load
    try:
        return load(path.read_bytes()).get(_NAME)
    except (OSError, SafetensorError):
        return None


def _keep(path: Path, embedding: Any) -> None:
    """A folder of weights may be read-only; the prompt is then encoded for each process."""
    from safetensors.torch import save
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, save({_NAME: embedding.contiguous()}))
    except (OSError, JobError) as error:
        log.warning("%s is not kept: %s", path, error)


def _encoded(folder: Path, prompt: str) -> Any:
    if not (folder / ENCODER).is_dir() or not (folder / TOKENIZER).is_dir():
        raise JobError("pack_missing", f"{folder}: {ENCODER}/ and {TOKENIZER}/ are not there, and the prompt "
                       f"{prompt[:60]!r} was never encoded.", "Install the whole pack, or use a prompt used before.")
    import torch
    from diffusers import WanPipeline
    from transformers import AutoTokenizer, UMT5EncoderModel
    tokenizer = load_input_maker(folder, TOKENIZER, AutoTokenizer)
    encoder = load_model(folder, ENCODER, UMT5EncoderModel, torch.bfloat16)
    pipeline = WanPipeline(tokenizer=tokenizer, text_encoder=encoder, vae=None, scheduler=None, transformer=None)
    with torch.no_grad():
        embedding, _ = pipeline.encode_prompt(prompt, do_classifier_free_guidance=False, max_sequence_length=LENGTH,
                                              device=torch.device("cpu"))
    del pipeline, encoder
    gc.collect()
    return embedding
