"""What the misbehaving engines of this folder share: the lines of the wire, written by hand on purpose."""
import json
import sys


def say(kind, **fields):
    sys.stdout.write(json.dumps({"type": kind, **fields}) + "\n")
    sys.stdout.flush()


def hello(protocol=1, **more):
    say("hello", protocol=protocol, engine="0.1.0", runtime="fake", device="cpu", pack={"name": "fake", "hash": "0"},
        **more)


def requests(*, with_cancel=False):
    """Each request as an object, until stdin closes or a shutdown comes. A cancel that comes when its job has just
    ended is no request, as with the real engine; with_cancel: it ends a job that is still running."""
    for line in sys.stdin:
        request = json.loads(line)
        if request["type"] == "shutdown":
            return
        if with_cancel or request["type"] != "cancel":
            yield request


def finish(job, frames):
    say("finished", job=job, frames=frames, made=frames, reused=0, passed=0, seconds=0.1, stages={"denoise": 0.1})
