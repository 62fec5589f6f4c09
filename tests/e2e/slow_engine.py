"""The real engine process around a runtime without networks whose every step takes as long as the first argument says.

With the word `prints` a library in it writes to stdout what no engine should; with `hangs` the second step never ends.
"""

import sys

from engine.serve import claim_stdout, serve


def main():
    stdout = claim_stdout()
    step_s, words = float(sys.argv[1]), sys.argv[2:]
    from engine.answer import Engine
    from tests.unit.fake_runtime import FakeRuntime, fake_pack, person_in
    if "prints" in words:
        print("hello from a library that prints")
        sys.stdout.flush()
    runtime = FakeRuntime(step_s, later_s=1e6 if "hangs" in words else step_s)
    return serve(lambda: Engine(fake_pack(), runtime, person_in), stdout)


if __name__ == "__main__":
    sys.exit(main())
