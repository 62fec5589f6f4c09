"""`python build.py bench [--json FILE]`: the speeds that matter to an artist, each with its target.

Runs in the engine's environment; Blender's part runs in AA2_BPY_PYTHON with the zip of AA2_ZIP. Ratios are measured in
turns within one run; times are medians. This is not a test: on a busy machine, it measures the other work too.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from engine.contract import version
from engine.packs.store import open_pack
from tests.bench.engine_speed import denoise_share, frames_per_second, memory_ratio, run
from tests.bench.job import write_job

HERE = Path(__file__).parent
THREADS = min(2, os.cpu_count() or 1)
SHORT = 16      # of the job that is sent through the link
# key: what it is, its target as people read it, whether a value reaches the target, how the value is written.
ROWS = {
    "pose_vs_frame_set": ("armature to pose.json, over the bare frame loop", "<= 1.25", lambda v: v <= 1.25, "{:.2f}"),
    "plate_vs_render": ("plate frames, 1080p, over the bare render to PNG", "<= 1.3", lambda v: v <= 1.3, "{:.2f}"),
    "ball_vs_start": ("a ball of the light, over a render of one sample, the demo's room", "<= 1.5", lambda v: v <= 1.5,
                      "{:.2f}"),
    "ball_vs_start_large": ("the same, with a million faces", "<= 1.5", lambda v: v <= 1.5, "{:.2f}"),
    "hello_s": ("engine start to hello", "< 2 s", lambda v: v < 2, "{:.2f} s"),
    "first_frame_cold_s": ("engine start to the first finished frame", "", None, "{:.2f} s"),
    "first_frame_warm_s": ("request to the first finished frame, engine running", None, None, "{:.2f} s"),
    "compact_frames_per_s": ("compact 256x256, default steps, job to frames", ">= 2.5", lambda v: v >= 2.5, "{:.2f}"),
    "compact_frames_per_s_10_steps": ("the same, 10 steps", ">= 1.5", lambda v: v >= 1.5, "{:.2f}"),
    "denoise_share_of_matmul": ("denoising, share of matmul FLOP/s", ">= 50 %", lambda v: v >= 0.5, "{:.0%}"),
    "memory_600_vs_60": ("engine's peak memory, 600 frames over 60", "<= 1.1", lambda v: v <= 1.1, "{:.3f}"),
    "longest_pump_ms": ("Blender's longest pump while a job runs", "<= 5 ms", lambda v: v <= 5, "{:.2f} ms"),
}


def main():
    parser = argparse.ArgumentParser(prog="build.py bench", description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--pack", type=Path, help="a folder of weights instead of the embedded ones")
    args = parser.parse_args()
    manifest = open_pack(args.pack).manifest
    numbers = {"machine": machine(), "engine": version.ENGINE, "pack": manifest.name, "threads": THREADS,
               "default_steps": manifest.default_steps}
    say("in Blender: armature, plate, engine through the link")
    numbers |= in_blender(args.pack)
    numbers["window_denoise_s"] = window_seconds(args.pack)
    for key, steps in (("compact_frames_per_s", None), ("compact_frames_per_s_10_steps", 10)):
        say(f"engine: {key}")
        numbers[key], shares = frames_per_second(args.pack, THREADS, steps)
        numbers.setdefault("stages", shares)
    say("denoising against matmul")
    numbers["denoise_share_of_matmul"] = denoise_share(args.pack, THREADS)
    say("memory, 60 and 600 frames")
    numbers["memory_600_vs_60"] = memory_ratio(args.pack, THREADS)
    print(table(numbers))
    if args.json:
        args.json.write_text(json.dumps(numbers, indent=1) + "\n")
        say(f"written to {args.json}")
    return 0


def say(text):
    print(f"bench: {text} ...", file=sys.stderr, flush=True)


def machine():
    """The processor's name and how many cores this process may use."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    return {"cpu": model, "cores": len(os.sched_getaffinity(0))}


def in_blender(pack):
    """The numbers of in_blender.py, run in a fresh Blender."""
    with tempfile.TemporaryDirectory() as folder:
        job, answer = write_job(str(Path(folder) / "job"), SHORT), Path(folder) / "answer.json"
        done = subprocess.run([os.environ["AA2_BPY_PYTHON"], HERE / "in_blender.py", job, str(pack or ""), answer],
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"Blender's part of the bench ended with {done.returncode}:\n{done.stderr[-3000:]}")
        return json.loads(answer.read_text())


def window_seconds(pack):
    """Seconds to denoise one window at the default steps: a job of exactly one window."""
    return run(open_pack(pack).manifest.window, pack, THREADS, None)[0]["stages"]["denoise"]


def table(numbers):
    """The numbers as a Markdown table, with the machine above and the stages below."""
    warm = numbers["window_denoise_s"] + 0.3
    lines = ["| what | measured | to reach | |", "| --- | --- | --- | --- |"]
    for key, (what, target, reaches, form) in ROWS.items():
        value = numbers[key]
        if key == "first_frame_warm_s":
            target, reaches = f"<= {warm:.2f} s (one window's denoising plus 0.3)", lambda v: v <= warm
        verdict = "" if reaches is None else "yes" if reaches(value) else "NO"
        lines.append(f"| {what} (`{key}`) | {form.format(value)} | {target} | {verdict} |")
    stages = ", ".join(f"{name} {share:.0%}" for name, share in numbers["stages"].items())
    cpu = numbers["machine"]
    lines += ["", f"Machine: {cpu['cpu']}, {cpu['cores']} cores; {numbers['threads']} engine threads.",
              f"Weights: {numbers['pack']}, {numbers['default_steps']} steps by default.",
              f"Stages' shares of a run at the default steps: {stages}."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
