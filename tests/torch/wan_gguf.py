"""A transformer's weights -> a GGUF file, in diffusers' names or in those of Wan's own repositories."""

import re

import gguf
import torch

# diffusers' name -> Wan's own, in this order; what diffusers does when it reads such a file, the other way round.
_BLOCKS = ((r"condition_embedder\.time_embedder\.linear_1", "time_embedding.0"),
           (r"condition_embedder\.time_embedder\.linear_2", "time_embedding.2"),
           (r"condition_embedder\.text_embedder\.linear_1", "text_embedding.0"),
           (r"condition_embedder\.text_embedder\.linear_2", "text_embedding.2"),
           (r"condition_embedder\.time_proj", "time_projection.1"),
           (r"condition_embedder\.image_embedder\.norm1", "img_emb.proj.0"),
           (r"condition_embedder\.image_embedder\.ff\.net\.0\.proj", "img_emb.proj.1"),
           (r"condition_embedder\.image_embedder\.ff\.net\.2", "img_emb.proj.3"),
           (r"condition_embedder\.image_embedder\.norm2", "img_emb.proj.4"),
           (r"^scale_shift_table", "head.modulation"), (r"^proj_out", "head.head"),
           (r"scale_shift_table", "modulation"), (r"(blocks\.\d+\.)norm2", r"\1norm3"),
           (r"(vace_blocks\.\d+\.)proj_in", r"\1before_proj"), (r"(vace_blocks\.\d+\.)proj_out", r"\1after_proj"),
           (r"(blocks\.\d+\.)attn1", r"\1self_attn"), (r"(blocks\.\d+\.)attn2", r"\1cross_attn"),
           ("norm_added_k", "norm_k_img"), ("add_k_proj", "k_img"), ("add_v_proj", "v_img"),
           (r"(_attn\.)to_out\.0", r"\1o"), (r"(_attn\.)to_([qkv])", r"\1\2"),
           (r"ffn\.net\.0\.proj", "ffn.0"), (r"ffn\.net\.2", "ffn.2"))
_CONVOLUTIONS = "motion_encoder.enc.net_app.convs."
_FACES = ((r"^face_adapter\.", "face_adapter.fuser_blocks."), (r"norm_([kq])\.", r"\1_norm."),
          (r"to_q\.", "linear1_q."), (r"to_out\.", "linear2."), (r"(conv1_local|conv2|conv3)\.", r"\1.conv."))
_MOTION = ((r"motion_synthesis_weight", "dec.direction.weight"), (r"motion_network", "enc.fc"),
           (r"conv_in\.weight", "enc.net_app.convs.0.0.weight"), (r"conv_in\.act_fn", "enc.net_app.convs.0.1"),
           (r"conv_out", "enc.net_app.convs.8"), (r"conv1\.weight", "conv1.0.weight"), (r"conv1\.act_fn", "conv1.1"),
           (r"conv2\.weight", "conv2.1.weight"), (r"conv2\.act_fn", "conv2.2"), (r"conv_skip", "skip.1"))


def wans_own(weights):
    """Weights under the names, and in the shapes, of Wan's own files."""
    found = {}
    for name, value in weights.items():
        own = _own_name(name)
        if name.startswith("face_adapter.") and ".to_v." in name:
            continue
        if name.startswith("face_adapter.") and ".to_k." in name:
            own, value = own.replace("to_k", "linear1_kv"), torch.cat([value, weights[name.replace("to_k", "to_v")]])
        if own.startswith(_CONVOLUTIONS) and own.endswith(".bias"):
            value = value[None, :, None, None]
        found[own] = value
    return found


def _own_name(name):
    rules = _FACES if name.startswith("face_") else _MOTION if name.startswith("motion_") else _BLOCKS
    for diffusers, wan in rules:
        name = re.sub(diffusers, wan, name)
    return re.sub(r"^motion_encoder\.res_blocks\.(\d+)", lambda found: f"{_CONVOLUTIONS}{int(found[1]) + 1}", name)


def write_gguf(path, weights):
    """Its matrices in blocks of eight bits where they fit."""
    writer = gguf.GGUFWriter(path, "wan")
    for name, value in weights.items():
        array = value.float().numpy()
        if array.ndim == 2 and array.shape[1] % 32 == 0:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
