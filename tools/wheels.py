"""A platform -> its engine's packages in .build/packages: fetched with a known sha256, unpacked, pruned,
checked, kept."""
import shutil
import zipfile
from fnmatch import fnmatch
from pathlib import Path

from . import environments
from .environments import BUILD
from .platforms import Platform, check_binaries, check_wheel
from .telling import say

# onnxruntime imports numpy and nothing else at run time, so the requirements it declares (flatbuffers, protobuf,
# packaging) stay out; measured by tests/blender/test_shell_install.py.
OPENCV, RUNTIME = "opencv-python-headless==4.11.0.86", "onnxruntime==1.31.1"
# Folder in the zip -> (Python that pip asks for, wheel, its sha256 on each of Blender's platforms). OpenCV is abi3.
WHEELS = {
    "any": ("3.11", OPENCV, {
        "linux-x64": "0e0a27c19dd1f40ddff94976cfe43066fbbe9dfbb2ec1907d66c19caef42a57b",
        "windows-x64": "6c304df9caa7a6a5710b91709dd4786bf20a74d57672b3c31f7033cc638174ca",
        "macos-arm64": "48128188ade4a7e517237c8e1e11a9cdf5c282761473383e77beb875bb1e61ca"}),
    "cp311": ("3.11", RUNTIME, {
        "linux-x64": "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
        "windows-x64": "c3d91b5de31e2fc82d71bd65b2b22bddee8b49057a3a36338e9a868e0ea90c05",
        "macos-arm64": "60b6b69bfe580eab576cacc5d132a0e9cf2a37fcfd18d46dd191042b1d1ed0d7"}),
    "cp313": ("3.13", RUNTIME, {
        "linux-x64": "74a6a52994616c4d18b33db1e13c226333a70a6ba07480a5cab9c2a50dff1430",
        "windows-x64": "0558f29d5f6ac09957390c9c5495931485ee8ae7f0ce781ccee86a0ae5c2348b",
        "macos-arm64": "e4ad067d36e2220218e085d7223283b2ee1bc73d887e811fd14d21cf901a11ee"}),
    "cp314": ("3.14", RUNTIME, {
        "linux-x64": "c20d7f15d84427db070b163f78c2c7146cc93edd6113fa7327671259a24184fe"}),
}
# Not needed to run: cascades, type stubs, converters, and OpenCV's own reader of movies on Windows. onnxruntime's
# library for C programs too: the Python module contains the runtime a second time.
PRUNED = ("cv2/data/*.xml", "*.pyi", "*/py.typed", "cv2/LICENSE*", "cv2/opencv_videoio_ffmpeg*.dll",
          "onnxruntime/transformers/*", "onnxruntime/quantization/*", "onnxruntime/tools/*", "onnxruntime/datasets/*",
          "onnxruntime/backend/*", "onnxruntime/capi/libonnxruntime.so*", "onnxruntime/capi/libonnxruntime.*dylib",
          "onnxruntime/capi/onnxruntime.dll", "*.dist-info/RECORD", "*.dist-info/entry_points.txt")


def ensure(name: str, platform: Platform, python: Path) -> Path:
    """The folder with `any`, `cp311` ... for the zip `name`; `python` has the pip that fetches.
    Raises Missing, Stop."""
    folder = BUILD / "packages" / name
    stamp = folder / "made.txt"
    recipe = repr((WHEELS, PRUNED, platform))
    if stamp.exists() and stamp.read_text() == recipe:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("any", *(f"cp{version.replace('.', '')}" for version in platform.pythons)):
        wheel = _fetch(part, platform, python, BUILD / "wheels" / name / part)
        _unpack(wheel, folder / part)
        check(folder / part, platform, part)
    stamp.write_text(recipe)
    return folder


def digests(platform: Platform) -> dict[str, str]:
    """Folder in the zip -> the sha256 of its wheel, for this platform."""
    return {part: by_name[platform.name] for part, (_python, _requirement, by_name) in WHEELS.items()
            if platform.name in by_name}


def check(folder: Path, platform: Platform, part: str) -> None:
    """Stops if something in a part of the packages is not for this platform and this part's Python."""
    check_wheel(folder, platform, part)
    check_binaries(folder, platform, part)


def _fetch(part: str, platform: Platform, python: Path, folder: Path) -> Path:
    """The part's wheel, downloaded by pip, which refuses one with another sha256."""
    version, requirement, digests = WHEELS[part]
    say(f"fetching {requirement} for {platform.name}, {part}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{requirement} --hash=sha256:{digests[platform.name]}\n")
    tags = [word for tag in platform.pip_tags for word in ("--platform", tag)]
    environments.pip(python, ["download", "-r", str(wanted), "--require-hashes", "--no-deps", "--only-binary=:all:",
                              "--implementation", "cp", "--python-version", version, *tags, "-d", str(folder)],
                     f"{requirement} for {platform.name} could not be fetched")
    return next(folder.glob("*.whl"))


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not any(fnmatch(name, pattern) for pattern in PRUNED):
                archive.extract(name, folder)
