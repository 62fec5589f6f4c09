"""An engine that is complete except for the networks: it paints a red square in the middle of every frame of the job,
and a shadow. It finds a performer in the middle of each frame, a third of the picture wide. Its files differ from those
of the real engine. With `--notes FILE`, it adds its requests to that file."""
import json
import os
import struct
import sys
import zlib

from speaking import finish, hello, requests, say


def png(path, width, height, pixel):
    """pixel(x, y) -> bytes of 3 or 4 channels."""
    rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(width)) for y in range(height))
    kind = {3: 2, 4: 6}[len(pixel(0, 0))]
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)), (b"IDAT", zlib.compress(rows)),
              (b"IEND", b""))
    with open(path + ".new", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, data in chunks:
            file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))
    os.replace(path + ".new", path)


def paint(folder, number, width, height):
    inside = lambda x, y: width // 4 <= x < width * 3 // 4 and height // 4 <= y < height * 3 // 4
    for kind in ("frames", "shadow"):
        os.makedirs(os.path.join(folder, kind), exist_ok=True)
    png(os.path.join(folder, "frames", f"{number:04d}.png"), width, height,
        lambda x, y: (255, 0, 0, 255 if inside(x, y) else 0))
    png(os.path.join(folder, "shadow", f"{number:04d}.png"), width, height, lambda x, y: (255, 255, 255))


def person(width, height):
    """Somebody upright who fills the picture's height, 4 m away, as joints of pose.json."""
    body = [[width / 2 + (k % 3 - 1) * width / 12, height * (0.1 + 0.04 * k), 4.0, 1.0] for k in range(20)]
    return {"body": body, "left_hand": None, "right_hand": None, "height_px": height * 0.8}


def estimate(request, job):
    """pose.json, mask/ and, if requested, clean/; the request itself is stored beside them, so that tests can read
    it."""
    folder, (width, height) = request["job"], job["size"]
    for number in range(1, job["frames"] + 1):
        for kind in ["mask"] + ["clean"] * request["clean"]:
            os.makedirs(os.path.join(folder, kind), exist_ok=True)
        png(os.path.join(folder, "mask", f"{number:04d}.png"), width, height,
            lambda x, y: [255 * (width <= 3 * x < 2 * width)] * 3)
        if request["clean"]:
            png(os.path.join(folder, "clean", f"{number:04d}.png"), width, height, lambda x, y: (0, 90, 0))
        say("progress", job=folder, stage="follow", step=number, total=job["frames"], eta_s=0.0)
    os.makedirs(os.path.join(folder, "estimate"), exist_ok=True)
    with open(os.path.join(folder, "pose.json"), "w", encoding="utf-8") as file:
        json.dump({"version": 1, "frames": [{"people": [person(width, height)]}] * job["frames"]}, file)
    with open(os.path.join(folder, "estimate", "estimate.json"), "w", encoding="utf-8") as file:
        json.dump(request, file)


hello()
for request in requests():
    if "--notes" in sys.argv:
        with open(sys.argv[sys.argv.index("--notes") + 1], "a", encoding="utf-8") as file:
            file.write(request["type"] + "\n")
    if request["type"] == "people":
        say("people", picture=request["picture"], boxes=[[10.0, 4.0, 40.0, 44.0], [44.0, 10.0, 52.0, 30.0]])
        continue
    if request["type"] == "joints":
        if "--nobody" in sys.argv:
            say("joints", picture=request["picture"], body=None, height_px=None)
        else:
            say("joints", picture=request["picture"], body=[[10.0 * k, 5.0, 1.0] for k in range(20)], height_px=40.0)
        continue
    folder = request["job"]
    with open(os.path.join(folder, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    if request["type"] == "estimate":
        if "--dies-estimating" in sys.argv:
            os.abort()
        estimate(request, job)
        finish(folder, job["frames"])
        continue
    if request["type"] == "deliver":
        for layer in request["layers"]:
            where = os.path.join(folder, "output", f"{layer}_{request['form']}")
            os.makedirs(where, exist_ok=True)
            for number in range(1, job["frames"] + 1):
                png(os.path.join(where, f"{number:04d}.png"), *job["size"], lambda x, y: (128, 128, 128))
        finish(folder, job["frames"])
        continue
    assert job["driver"]["performer"] is None or os.path.exists(os.path.join(folder, "pose.json")), \
        "run before estimate"
    assert not job["clean_pictures"] or os.path.exists(os.path.join(folder, "clean", "0001.png")), \
        "no clean plate was made"
    for number in range(1, job["frames"] + 1):
        if "--one" in sys.argv and number == 2:
            os.abort()
        if request["type"] == "run":
            paint(folder, number, *job["size"])
            say("frame", job=folder, number=number)
        say("progress", job=folder, stage="denoise", step=number, total=job["frames"], eta_s=0.0)
    finish(folder, job["frames"])
