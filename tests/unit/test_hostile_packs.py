"""Malicious packs with correct checksums: both runtimes refuse them with one sentence."""

import json
import shutil
import struct

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.contract.errors import JobError
from engine.door.answer import Host
from engine.engines.compact.nets.model import load_weights
from engine.engines.compact.runtimes.ort import OrtRuntime
from engine.packs import manifest as manifests
from engine.packs.graph_file import pointers
from engine.packs.manifest import GRAPHS, WEIGHTS
from engine.packs.weights_file import LONGEST_HEADER, tensors
from tests.unit.tiny import TINY

RUNTIMES = ("onnxruntime", "pytorch")


@pytest.fixture
def pack(tiny_pack, tmp_path):
    return shutil.copytree(tiny_pack, tmp_path / "pack")


def refused(folder, message):
    """A pack whose maker writes the manifest by hand; both runtimes say `message`."""
    value = json.loads((folder / "pack.json").read_text())
    told = {name: value[name] for name in value if name not in ("format", "files", "unread", "sha256")}
    manifests.write(folder, told, value["unread"])
    for runtime in RUNTIMES:
        with pytest.raises(JobError) as error:
            Host.open(folder=folder, runtime=runtime, threads=1)
        assert error.value.code == "pack_invalid" and message in error.value.message, error.value
        assert error.value.remedy


def header_of(path):
    data = path.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    return json.loads(data[8:8 + length]), data[8 + length:]


def rewrite(path, header, data):
    raw = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    raw = raw + b" " * (-len(raw) % 8)
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + data)


@pytest.mark.parametrize("start, message", [
    (b"", "expected a header, got 0 bytes"), (b"\x08\0\0", "got 3 bytes"),
    (struct.pack("<Q", 2**64 - 1) + b"{}", "got one of 18446744073709551615"),
    (struct.pack("<Q", 3) + b"{}", "at most 2 bytes, got one of 3"),
    (struct.pack("<Q", LONGEST_HEADER + 1) + b" " * (LONGEST_HEADER + 1), "got one of 4194305"),
    (struct.pack("<Q", 2) + b"{{", "JSON"), (struct.pack("<Q", 2) + b"[]", "expected an object, got list"),
    (struct.pack("<Q", 4) + b"\xff\xfe\0\0", "JSON"), (struct.pack("<Q", 20_000) + b"[" * 20_000, "JSON"),
    (struct.pack("<Q", 13) + b'{"a":1,"a":2}', "got 'a' twice")])
def test_no_header(pack, start, message):
    (pack / WEIGHTS).write_bytes(start)
    refused(pack, message)


NAME = "decoder.conv_in.bias"


@pytest.mark.parametrize("entry, message", [
    ({"dtype": "F32"}, "expected dtype F16, got 'F32'"), ({"dtype": 16}, "expected dtype F16"),
    ({"dtype": "BF16"}, "expected dtype F16"), ({"shape": [-16]}, "expected a shape"),
    ({"shape": "16"}, "expected a shape"),
    ({"shape": [1] * 9}, "expected a shape"), ({"shape": [2**40, 2**40]}, "expected the offsets"),
    ({"shape": [True]}, "expected a shape"), ({"shape": [1e300]}, "expected a shape"),
    ({"shape": [8]}, "expected the offsets"),
    ({"data_offsets": [0, 2**60]}, "expected the offsets"), ({"data_offsets": [32, 0]}, "expected the offsets"),
    ({"data_offsets": [-32, 0]}, "expected the offsets"), ({"data_offsets": [0]}, "expected the offsets"),
    ({"more": 1}, "expected {dtype, shape, data_offsets}")])
def test_an_entry_that_is_wrong(pack, entry, message):
    header, data = header_of(pack / WEIGHTS)
    header[NAME] |= entry
    rewrite(pack / WEIGHTS, header, data)
    refused(pack, message)


@pytest.mark.parametrize("by", [-2, 2, 10**6])
def test_tensors_that_overlap_leave_gaps_or_lie_outside(pack, by):
    header, data = header_of(pack / WEIGHTS)
    header[NAME]["data_offsets"] = [at + by for at in header[NAME]["data_offsets"]]
    if header[NAME]["data_offsets"][0] < 0:
        header[NAME]["data_offsets"] = [0, 32]
    rewrite(pack / WEIGHTS, header, data)
    refused(pack, "expected it to begin at byte")


@pytest.mark.parametrize("data", [lambda data: data[:-2], lambda data: data + b"\0\0", lambda data: data + b"\0"])
def test_more_or_less_than_the_header_says(pack, data):
    header, held = header_of(pack / WEIGHTS)
    rewrite(pack / WEIGHTS, header, data(held))
    refused(pack, "bytes of data, got")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("part", [0, 0.4, 1])
def test_weights_that_are_no_numbers(pack, value, part):
    header, data = header_of(pack / WEIGHTS)
    numbers = np.frombuffer(data, "<f2").copy()
    numbers[int(part * (len(numbers) - 1))] = value
    rewrite(pack / WEIGHTS, header, numbers.tobytes())
    refused(pack, "values that are not finite numbers")


def test_a_tensor_that_is_missing(pack):
    header, data = header_of(pack / WEIGHTS)
    rewrite(pack / WEIGHTS, {name.replace(NAME, "decoder.conv_in.bios"): entry for name, entry in header.items()}, data)
    refused(pack, f"{NAME}: expected a weight that {WEIGHTS} has")


def test_a_tensor_too_many(pack):
    """The graphs point to where the other tensors are now."""
    header, data = header_of(pack / WEIGHTS)
    header["of.another.net"] = {"dtype": "F16", "shape": [1], "data_offsets": [len(data), len(data) + 2]}
    rewrite(pack / WEIGHTS, header, data + b"\0\0")
    begin = (pack / WEIGHTS).stat().st_size - len(data) - 2
    for path in (pack / name for name in GRAPHS):
        graph = onnx.load(path, load_external_data=False)
        for tensor in graph.graph.initializer:
            for told in tensor.external_data:
                if told.key == "offset":
                    told.value = str(begin + header[tensor.name.removesuffix(".half")]["data_offsets"][0])
        onnx.save(graph, path)
    refused(pack, "unexpected ['of.another.net']")


PLACES = ["../weights.safetensors", "/etc/passwd", "sub/../weights.safetensors", "./weights.safetensors", "decode.onnx",
          "..\\weights.safetensors", "C:\\weights.safetensors", "file:///etc/passwd", "weights.safetensors\0", "",
          "*/_ORT_MEM_ADDR_/*"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["decode.onnx", "denoise.onnx"])
def test_a_graph_that_reads_another_file(pack, name, place):
    told(pack / name, "location", place)
    refused(pack, f"{name}: ")


@pytest.mark.parametrize("key, value", [("offset", "0"), ("offset", "99999999"), ("offset", "-8"), ("length", "2"),
                                        ("length", "99999999"), ("offset", "1e3"), ("length", "0x10"),
                                        ("checksum", "0")])
def test_a_graph_that_reads_the_weights_at_another_place(pack, key, value):
    told(pack / "decode.onnx", key, value)
    refused(pack, "decode.onnx: ")


def told(path, key, value):
    """Changes what the graph's first weight says about its file: another value, or a new key."""
    graph = onnx.load(path, load_external_data=False)
    tensor = next(tensor for tensor in graph.graph.initializer if tensor.external_data)
    entry = next((entry for entry in tensor.external_data if entry.key == key), None) or tensor.external_data.add()
    entry.key, entry.value = key, value
    onnx.save(graph, path)


def elsewhere():
    """A tensor that is stored in a file outside the pack."""
    tensor = TensorProto(name="secret", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "../secret"), ("offset", "0"), ("length", "4")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor


def in_a_constant(graph):
    graph.graph.node.append(helper.make_node("Constant", [], ["secret"], value=elsewhere()))


def in_a_graph_inside(graph):
    inside = helper.make_graph([], "inside", [], [], initializer=[elsewhere()])
    graph.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inside, else_branch=inside))


def in_a_function(graph):
    node = helper.make_node("Constant", [], ["secret"], value=elsewhere())
    graph.functions.append(helper.make_function("own", "f", [], ["secret"], [node], [helper.make_opsetid("", 17)]))


def in_a_sparse_weight(graph):
    graph.graph.sparse_initializer.append(helper.make_sparse_tensor(
        elsewhere(), numpy_helper.from_array(np.zeros(1, np.int64), "at"), [4]))


@pytest.mark.parametrize("hide", [in_a_constant, in_a_graph_inside, in_a_function, in_a_sparse_weight])
def test_another_file_that_is_named_deep_inside(pack, hide):
    graph = onnx.load(pack / "decode.onnx", load_external_data=False)
    hide(graph)
    onnx.save(graph, pack / "decode.onnx")
    refused(pack, "other places to be named, one a weight")


@pytest.mark.parametrize("content", [b"", b"no graph", b"\xff" * 40, b"\x3a\xff\xff\xff\xff\x0f", b"\x38\x01",
                                     b"\x3a\x07\x2a\x05\x0d\0\0\0\0"])   # the last: a shape that is a fixed word
def test_a_graph_that_is_none(pack, content):
    (pack / "decode.onnx").write_bytes(content)
    refused(pack, "decode.onnx: " if content else "unexpected")


def test_every_cut_of_a_graph_is_a_graph_or_told_not_to_be(pack, tmp_path):
    """Whatever a reader is given, it ends with what it found or with a ValueError."""
    data = (pack / "pose.onnx").read_bytes()
    for end in range(0, len(data), max(len(data) // 300, 1)):
        (tmp_path / "cut.onnx").write_bytes(data[:end])
        try:
            assert len(pointers(tmp_path / "cut.onnx")) == 0
        except ValueError as error:
            assert str(error).startswith(("expected", "pose_guider"))


def test_a_graph_of_other_inputs(pack):
    """Its weights are right, but the engine needs other inputs. The error comes when the graph is opened: at hello, or
    at its first use."""
    graph = onnx.load(pack / "pose.onnx", load_external_data=False)
    for node in graph.graph.node:
        node.input[:] = ["bones" if one == "skeleton" else one for one in node.input]
    next(one for one in graph.graph.input if one.name == "skeleton").name = "bones"
    onnx.save(graph, pack / "pose.onnx")
    with pytest.raises(JobError, match="expected a graph of depth, skeleton, got one of bones, depth") as error:
        OrtRuntime(pack, 1).pose(np.zeros((1, 32, 32, 3)), np.zeros((1, 32, 32, 1)))
    assert error.value.code == "pack_invalid"


def test_a_blank_picture_is_decoded_before_hello(pack):
    """Every weight is a number, but the result is not: latents are divided by the scale."""
    header, data = header_of(pack / WEIGHTS)
    begin, end = header["decoder.scale"]["data_offsets"]
    rewrite(pack / WEIGHTS, header, data[:begin] + bytes(end - begin) + data[end:])
    refused(pack, "from blank latents")


def test_weights_of_other_networks(pack):
    """The graphs fit the weights, but neither has the sizes that the manifest states."""
    value = json.loads((pack / "pack.json").read_text())
    value["sizes"]["level_width"] = 32
    (pack / "pack.json").write_text(json.dumps(value))
    value.pop("sha256")
    (pack / "pack.json").write_text(json.dumps({**value, "sha256": manifests.seal(value)}))
    with pytest.raises(JobError, match="expected the shape") as error:
        Host.open(folder=pack, runtime="pytorch", threads=1)
    assert error.value.code == "pack_invalid"


def test_the_weights_are_read_as_their_own_package_reads_them(pack):
    from safetensors.numpy import load_file
    ours, theirs = tensors(pack / WEIGHTS), load_file(pack / WEIGHTS)
    assert ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    assert load_weights(TINY, pack / WEIGHTS).state_dict().keys() == theirs.keys()
