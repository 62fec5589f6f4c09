"""Makes models/*.onnx from the published wheel of MediaPipe; needs the network, and is run when a model changes.

    python tools/convert_models.py SCRATCH_FOLDER

SCRATCH_FOLDER gets the wheel and a virtual environment (Python 3.11, tensorflow-cpu and tf2onnx), about 2 GB.
"""

import hashlib
import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

MODELS = Path(__file__).resolve().parents[1] / "engine" / "estimate" / "models"
TOOLS = ("tensorflow-cpu==2.21.0", "tf2onnx==1.17.0", "onnx==1.23.2")
OPSET = "17"
PACKAGE = "mediapipe==0.10.21"
LICENCE_FILE = "mediapipe-0.10.21.dist-info/LICENSE"
SOURCES = {
    "person_detector.onnx": "mediapipe/modules/pose_detection/pose_detection.tflite",
    "pose_landmark_full.onnx": "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
    "hand_recrop.onnx": "mediapipe/modules/holistic_landmark/hand_recrop.tflite",
    "hand_landmark_full.onnx": "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
    "face_landmark.onnx": "mediapipe/modules/face_landmark/face_landmark.tflite",
}


def main(scratch):
    """Fetches, converts, stores as fp16, and writes models.json beside the models."""
    scratch.mkdir(parents=True, exist_ok=True)
    python = _environment(scratch / "venv")
    _fetch(scratch, python)
    for name, source in SOURCES.items():
        dense, converted = scratch / f"{name}.tflite", scratch / name
        _run(python, __file__, "--dense", scratch / source, dense)
        _run(python, "-m", "tf2onnx.convert", "--tflite", dense, "--opset", OPSET, "--output", converted)
        _run(python, __file__, "--half", converted, MODELS / name)
    _write_list()


def _environment(folder):
    if not (folder / "pyvenv.cfg").exists():
        venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    _run(python, "-m", "pip", "install", "-q", *TOOLS)
    return python


def _fetch(scratch, python):
    """The tflite files out of the wheel; its licence goes beside our models."""
    _run(python, "-m", "pip", "download", "-q", "--no-deps", PACKAGE, "-d", scratch)
    MODELS.mkdir(exist_ok=True)
    with zipfile.ZipFile(next(scratch.glob("mediapipe-*.whl"))) as wheel:
        wheel.extractall(scratch, SOURCES.values())
        (MODELS / "LICENSE").write_bytes(wheel.read(LICENCE_FILE))


def make_dense(source, target):
    """A tflite file with sparse weights -> one without (the detector has them; tf2onnx knows no DENSIFY)."""
    import flatbuffers
    import numpy as np
    import tensorflow as tf
    from tensorflow.lite.python import schema_py_generated as schema

    interpreter = tf.lite.Interpreter(
        source, experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    interpreter.allocate_tensors()
    interpreter.invoke()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(Path(source).read_bytes(), 0))
    graph, kept = model.subgraphs[0], []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.DENSIFY:
            kept.append(operator)
            continue
        values = schema.BufferT()
        values.data = np.frombuffer(interpreter.get_tensor(int(operator.outputs[0])).tobytes(), np.uint8)
        model.buffers.append(values)
        for index in (*operator.inputs, *operator.outputs):
            graph.tensors[index].sparsity = None
            graph.tensors[index].buffer = len(model.buffers) - 1
    graph.operators = kept
    builder = flatbuffers.Builder(1 << 24)
    builder.Finish(model.Pack(builder), b"TFL3")
    Path(target).write_bytes(builder.Output())


def store_half(source, target):
    """An ONNX file with float32 weights -> one with fp16 weights and a Cast after each, wherever that is exact."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    model = onnx.load(source)
    weights, casts = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        half = values.astype(np.float16) if values.dtype == np.float32 and values.size > 16 else values
        if half.dtype == values.dtype or not np.array_equal(half.astype(values.dtype), values):
            weights.append(tensor)
            continue
        weights.append(numpy_helper.from_array(half, f"{tensor.name}_half"))
        casts.append(onnx.helper.make_node(
            "Cast", [f"{tensor.name}_half"], [tensor.name], to=onnx.TensorProto.FLOAT, name=f"{tensor.name}_cast"))
    del model.graph.initializer[:]
    model.graph.initializer.extend(weights)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.checker.check_model(model)
    model.graph.doc_string = ""  # tf2onnx writes the path that the source had on this machine
    onnx.save(model, target)


def _write_list():
    models = {
        name: {"package": PACKAGE, "file": source, "licence": "Apache-2.0", "authors": "Google, MediaPipe",
               "changes": "sparse weights made dense, converted to ONNX; fp16 weights, bit-exact to the source",
               "sha256": hashlib.sha256((MODELS / name).read_bytes()).hexdigest()}
        for name, source in SOURCES.items()}
    (MODELS / "models.json").write_text(json.dumps(models, indent=1) + "\n", encoding="utf-8")


def _run(*command):
    subprocess.run([str(part) for part in command], check=True)


if __name__ == "__main__":
    steps = {"--dense": make_dense, "--half": store_half}
    if len(sys.argv) == 4 and sys.argv[1] in steps:
        steps[sys.argv[1]](*sys.argv[2:])
    elif len(sys.argv) == 2:
        main(Path(sys.argv[1]).resolve())
    else:
        raise SystemExit(__doc__)
