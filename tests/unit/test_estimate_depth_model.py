"""A depth network of the form of Depth Anything V2 or 3, tiny and made here: it is read, run at its own size and fitted
once per shot. Other networks are refused."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from engine.contract.errors import JobError
from engine.contract.skeleton import BODY, BODY_INDEX
from engine.estimate import limb_depth
from engine.estimate.lift import Points
from engine.estimate.motion import Body
from engine.job.progress import Watch

SIZE = (320, 240)


def write_net(path, *, shape=(1, 3, "height", "width"), names=("pixel_values", "predicted_depth"), keep=0,
              weights=None, ends=None, more=0.0):
    """One 1 x 1 convolution to inverse depth: (1, 3, h, w) -> (1, h, w), or (1, 1, h, w) with `keep`. more: is added to
    every value."""
    weights = np.random.default_rng(3).normal(0, 1, (1, 3, 1, 1)) if weights is None \
        else np.array(weights).reshape(1, 3, 1, 1)
    made = [helper.make_tensor("w", TensorProto.FLOAT, (1, 3, 1, 1), weights.astype(np.float32).ravel()),
            helper.make_tensor("b", TensorProto.FLOAT, (1,), [more]),
            helper.make_tensor("axes", TensorProto.INT64, (1,), [1])]
    nodes = [helper.make_node("Conv", [names[0], "w", "b"], [names[1] if keep else "map"])]
    if not keep:
        nodes.append(helper.make_node("Squeeze", ["map", "axes"], [names[1]]))
    end = (shape[0], 1, *shape[2:]) if keep else (shape[0], *shape[2:])
    graph = helper.make_graph(nodes, "depth", [helper.make_tensor_value_info(names[0], TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(names[1], TensorProto.FLOAT, ends or end)], made)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return str(path)


class Pictures:
    """A source whose green channel gives the inverse depth at each joint, and whose arm is farther away than the
    landmarks say."""

    def __init__(self, bodies, depths):
        self._bodies, self._depths = bodies, depths

    def read(self, number):
        picture = np.full((SIZE[1], SIZE[0], 3), 20, np.uint8)
        for (x, y, _, _), depth in zip(self._bodies[number].body, self._depths[number], strict=True):
            picture[int(y) - 4:int(y) + 5, int(x) - 4:int(x) + 5, 1] = round(self.shown(depth))
        return picture

    def shown(self, depth):
        return 400 / depth


class DepthPictures(Pictures):
    """The same, but a network that passes the channel on gives depth, always above 0, as Depth Anything 3 does."""

    def shown(self, depth):
        return 40 * depth + 60


def shot(frames=6):
    """Bodies whose joints are at different depths, from 2.5 to 4 m."""
    bodies = {}
    for number in range(1, frames + 1):
        joints = np.array([(20 + 60 * (k % 5), 20 + 50 * (k // 5), 2.5 + 1.5 * k / 19, 0.9) for k in range(len(BODY))],
                          np.float32)
        bodies[number] = Body(Points(np.zeros((33, 2)), np.zeros((33, 3)), np.ones(33)), joints, 200.0, 120.0, 3.0)
    return bodies


def by_model(path, tmp_path, bodies, depths, pictures=Pictures):
    watch = Watch("job", lambda event: None, lambda: False)
    watch.work_begins()
    return limb_depth.from_model(path, bodies, pictures(bodies, depths), str(tmp_path / "job"),
                                 shots=[range(1, len(bodies) + 1)], fps=24.0, watch=watch, threads=1, pieces=1)


@pytest.mark.parametrize("form", [{}, {"keep": 1, "names": ("image", "depth")}, {"shape": (1, 3, 70, 98)},
                                  {"shape": ("batch", 3, "h", "w")}])
def test_the_forms_that_exports_have(tmp_path, form):
    net = limb_depth.DepthNet(write_net(tmp_path / "net.onnx", **form), threads=1)
    depth = net.run(np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8))
    assert depth.ndim == 2 and depth.dtype == np.float32 and np.isfinite(depth).all()
    assert depth.shape == ((70, 98) if form.get("shape", "")[2:3] == (70,) else (518, 686)), "multiples of 14"


def test_the_picture_is_normalised_as_the_network_was_trained(tmp_path):
    net = limb_depth.DepthNet(write_net(tmp_path / "net.onnx", weights=[1, 0, 0]), threads=1)
    white = net.run(np.full((240, 320, 3), 255, np.uint8))
    assert np.allclose(white, (1 - 0.485) / 0.229, atol=1e-4)


def test_joints_take_the_networks_depth_once_a_shot(tmp_path):
    bodies = shot()
    depths = {n: body.body[:, 2].astype(float).copy() for n, body in bodies.items()}
    wrist = BODY_INDEX["left_wrist"]
    for row in depths.values():
        row[wrist] += 0.3
    made = by_model(write_net(tmp_path / "net.onnx", weights=[0, 1, 0]), tmp_path, bodies, depths)
    for number, body in made.items():
        assert body.body[wrist, 2] == pytest.approx(depths[number][wrist], abs=0.08)
        others = np.arange(len(BODY)) != wrist
        assert np.abs(body.body[others, 2] - bodies[number].body[others, 2]).max() < 0.08
        assert np.array_equal(body.body[:, [0, 1, 3]], bodies[number].body[:, [0, 1, 3]])


def test_a_network_that_gives_depth_is_recognised(tmp_path):
    """Its values grow with the distance. The fit by 1 / x is better, so a wrist that is farther away is found."""
    bodies = shot()
    depths = {n: body.body[:, 2].astype(float).copy() for n, body in bodies.items()}
    wrist = BODY_INDEX["left_wrist"]
    for row in depths.values():
        row[wrist] += 0.3
    net = write_net(tmp_path / "net.onnx", weights=[0, 1, 0], more=0.456 / 0.224)
    made = by_model(net, tmp_path, bodies, depths, DepthPictures)
    others = np.arange(len(BODY)) != wrist
    for number, body in made.items():
        assert body.body[wrist, 2] == pytest.approx(depths[number][wrist], abs=0.1)
        assert np.abs(body.body[others, 2] - bodies[number].body[others, 2]).max() < 0.1


def test_a_network_of_several_views_is_refused_with_a_sentence(tmp_path):
    path = write_net(tmp_path / "views.onnx", shape=(1, 3, 70, 98))
    model = onnx.load(path)
    views = [helper.make_tensor_value_info("views", TensorProto.FLOAT, (1, 1, 3, 70, 98)), *model.graph.input[1:]]
    del model.graph.input[:]
    model.graph.input.extend(views)
    model.graph.node.insert(0, helper.make_node("Squeeze", ["views", "axes"], ["pixel_values"]))
    onnx.save(model, path)
    with pytest.raises(JobError, match="several views") as failure:
        limb_depth.DepthNet(path)
    assert failure.value.code == "pack_invalid" and "one picture" in failure.value.remedy


def test_the_output_named_depth_is_read(tmp_path):
    path = write_net(tmp_path / "net.onnx", weights=[1, 0, 0], shape=(1, 3, 70, 98))
    model = onnx.load(path)
    model.graph.node.append(helper.make_node("Neg", ["map"], ["sky"]))
    model.graph.output.insert(0, helper.make_tensor_value_info("sky", TensorProto.FLOAT, (1, 1, 70, 98)))
    onnx.save(model, path)
    white = limb_depth.DepthNet(path).run(np.full((240, 320, 3), 255, np.uint8))
    assert white.shape == (70, 98) and np.allclose(white, (1 - 0.485) / 0.229, atol=1e-4)


@pytest.mark.parametrize("name, is_free", [
    ("depth_anything_v2_vits.onnx", True), ("depth-anything-v2-small/model_fp16.onnx", True),
    ("DA3METRIC-LARGE.onnx", True), ("da3mono-large_504.onnx", True), ("DA3-BASE.onnx", True), ("mine.onnx", True),
    ("DA3-SMALL.onnx", True), ("depth_anything_v2_vitl.onnx", False), ("depth_anything_v2_vitb_fp16.onnx", False),
    ("Depth-Anything-V2-Large.onnx", False), ("depth-anything-v2-giant.onnx", False), ("DA3-LARGE-1.1.onnx", False),
    ("da3-giant.onnx", False), ("DA3NESTED-GIANT-LARGE-1.1.onnx", False), ("depth-anything-3-large.onnx", False)])
def test_sizes_that_must_not_be_used_commercially_are_named(name, is_free):
    said = limb_depth.licence_warning(f"/models/{name}")
    assert said is None if is_free else "CC BY-NC 4.0" in said and name in said


def test_what_hides_a_joint_is_not_its_depth(tmp_path):
    bodies = shot()
    depths = {n: body.body[:, 2].astype(float).copy() for n, body in bodies.items()}
    knee = BODY_INDEX["left_knee"]
    for row in depths.values():
        row[knee] = 1.6
    made = by_model(write_net(tmp_path / "net.onnx", weights=[0, 1, 0]), tmp_path, bodies, depths)
    assert abs(made[3].body[knee, 2] - bodies[3].body[knee, 2]) < 0.1


def test_a_network_that_knows_no_depth_changes_nothing(tmp_path):
    bodies = shot()
    depths = {n: body.body[:, 2].astype(float) for n, body in bodies.items()}
    for weights in ([0, 0, 0], [0, -1, 0]):  # one value everywhere; nearer things said to be farther
        made = by_model(write_net(tmp_path / f"{weights[1]}.onnx", weights=weights), tmp_path, bodies, depths)
        assert all(np.array_equal(made[n].body, bodies[n].body) for n in bodies)


def test_what_was_told_is_kept(tmp_path, monkeypatch):
    bodies = shot(3)
    depths = {n: body.body[:, 2].astype(float) for n, body in bodies.items()}
    net = write_net(tmp_path / "net.onnx", weights=[0, 1, 0])
    first = by_model(net, tmp_path, bodies, depths)
    monkeypatch.setattr(limb_depth.DepthNet, "run", lambda *_: pytest.fail("asked again"))
    again = by_model(net, tmp_path, bodies, depths)
    assert all(np.array_equal(first[n].body, again[n].body) for n in bodies)


def test_files_that_are_no_depth_network(tmp_path):
    (tmp_path / "text.onnx").write_bytes(b"no network")
    wrong = write_net(tmp_path / "wrong.onnx", shape=(1, 3, 8, 8), ends=(1, 8, 8))
    model = onnx.load(wrong)
    model.graph.input[0].type.tensor_type.shape.dim.pop()
    onnx.save(model, tmp_path / "flat.onnx")
    for name, code in (("none.onnx", "pack_missing"), ("text.onnx", "pack_invalid"), ("flat.onnx", "pack_invalid")):
        with pytest.raises(JobError) as failure:
            limb_depth.DepthNet(str(tmp_path / name))
        assert failure.value.code == code and name in failure.value.message
