"""The speed and size of the engine: whole runs in separate processes, and its denoiser compared with a matmul."""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from engine.conditions import surface_inputs
from engine.contract import files
from engine.engines.compact.runtimes.ort import OrtRuntime
from engine.packs.store import open_pack
from tests.bench.job import write_job

RUNS, FRAMES = 3, 48
MEMORY_FRAMES, MEMORY_STEPS = (60, 600), 1  # the window determines the memory, whatever the number of steps
MATMUL = 1024


def frames_per_second(pack, threads, steps=None):
    """(frames per second, share of each stage, steps): the median of whole runs, from job folder to frames, at
    256x256."""
    finished = [run(FRAMES, pack, threads, steps)[0] for _ in range(RUNS)]
    middle = sorted(finished, key=lambda event: event["seconds"])[RUNS // 2]
    shares = {name: round(seconds / middle["seconds"], 4) for name, seconds in middle["stages"].items()}
    return FRAMES / middle["seconds"], shares


def memory_ratio(pack, threads):
    """Peak resident memory of a run of 600 frames divided by that of a run of 60."""
    short, long = (run(count, pack, threads, MEMORY_STEPS)[1] for count in MEMORY_FRAMES)
    return long / short


def run(count, pack, threads, steps):
    """(the `finished` event, the process's peak resident memory in KiB) of one job in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        write_job(folder, count, steps)
        command = [sys.executable, "-m", "engine", "run", folder, "--runtime", "onnxruntime", "--threads", str(threads)]
        command += ["--pack", str(pack)] if pack else []
        with open(Path(folder) / "told", "w") as told:
            process = subprocess.Popen(command, stdout=told, stderr=told)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"The engine ended with {process.returncode}:\n{(Path(folder) / 'told').read_text()[-2000:]}")
        events = [json.loads(line) for line in (Path(folder) / files.EVENTS).read_text().splitlines()]
        return next(event for event in events if event["type"] == "finished"), usage.ru_maxrss


def denoise_share(pack, threads):
    """FLOP/s of a full window's denoising step divided by FLOP/s of a 1024x1024 matmul, measured in turns in this
    process."""
    opened = open_pack(pack)
    runtime = OrtRuntime(opened.folder, threads)
    step, operations = denoising_step(runtime, opened.manifest)
    multiply = matmul(threads)
    for warm in (step, multiply):
        warm()
    turns = [(seconds(step), seconds(multiply)) for _ in range(5)]
    reached = operations / statistics.median(turn[0] for turn in turns)
    possible = 2 * MATMUL ** 3 / statistics.median(turn[1] for turn in turns)
    return reached / possible


def denoising_step(runtime, manifest):
    """(a call that does one step of a 256x256 window, its floating-point operations)."""
    frames, side = manifest.window, 256
    rng = np.random.default_rng(1)

    def some(*shape):
        return rng.random(shape, np.float32)
    latents = runtime.encode(some(frames, side, side, 5))
    reference = runtime.reference(some(side, side, 3), some(side, side, 3))
    pose = runtime.pose(some(frames, side, side, 3), some(frames, side, side, 1))
    mask = some(frames, side, side, 1)
    objects = runtime.objects(latents, mask)
    masks, levels = some(frames, side, side, 2), np.ones(frames, np.float32)
    maps = some(frames, side, side, surface_inputs.CHANNELS) if manifest.surface else None

    def step():
        runtime.denoise(latents, levels, latents, masks, latents, mask, reference, pose, objects, maps)
    return step, operations_a_frame(manifest) * frames


def operations_a_frame(manifest):
    """The operations of a denoising step per frame, counted by torch on the same networks
    (engine/engines/compact/nets/flops.py)."""
    from engine.engines.compact.nets.flops import flops_per_frame
    from engine.engines.compact.nets.model import Model
    from engine.engines.compact.nets.sizes import Sizes
    return flops_per_frame(Model(Sizes.from_dict(manifest.sizes)), 256, 256, manifest.window)["denoise"]


def matmul(threads):
    """A call that multiplies two square matrices in onnxruntime with the engine's number of threads."""
    shape = [MATMUL, MATMUL]
    a, b, c = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "abc")
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "matmul", [a, b], [c])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = {name: np.random.default_rng(2).random(shape, np.float32) for name in "ab"}
    return lambda: session.run(None, given)


def seconds(call, at_least=0.5):
    """The seconds of one call, which is repeated for half a second or more."""
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < at_least:
        call()
        count += 1
    return (time.perf_counter() - began) / count
