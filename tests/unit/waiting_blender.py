"""Acts as a Blender that waits for an engine: ENGINE [ARGUMENT ...] -> how the job ended, on stdout. It has QUICK's
patience."""

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.unit.add_on import ROOT, part

jobs, interpreter = part("link.engine_job"), part("link.interpreter")
messages = part("embedded.engine.contract.messages")
QUICK = {"hello": 30.0, "silence": 2.0, "idle": 2.0, "cancel": 0.5, "terminate": 0.5}


def launch(engine, *arguments):
    return interpreter.Launch((sys.executable, str(ROOT / "tests" / "engines" / f"{engine}.py"), *arguments),
                              tuple(os.environ.items()))


def main():
    link, folder = jobs.Link(jobs.Patience(**QUICK)), Path(tempfile.mkdtemp())
    job = link.start(launch(*sys.argv[1:]), messages.Run(str(folder)), folder)
    print("begun", flush=True)
    while not job.ended:
        link.pump()
        time.sleep(0.02)
    print(job.state, job.error, flush=True)
    link.close()


if __name__ == "__main__":
    main()
