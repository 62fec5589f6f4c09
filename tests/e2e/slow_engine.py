"""The real engine process with a runtime without networks; each of its steps takes as long as the first argument says.

More words change it. `prints`: a library in it writes to stdout what no engine should. `hangs`: the second step never
ends. `deaf`: the thread that reads requests ends with an error at the second line. `dumb`: the heartbeat's thread ends
with an error at the second heartbeat.
"""

import logging
import sys

from engine.contract import messages
from engine.contract.wire import Wire
from engine.door.serve import claim_stdout, serve


def at_the_second_call(work):
    calls = []

    def broken(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise LookupError("a fault that nobody foresaw")
        return work(*arguments)
    return broken


def main():
    stdout = claim_stdout()
    step_s, words = float(sys.argv[1]), sys.argv[2:]
    from engine.door.answer import Host
    from tests.unit.fake_runtime import FakeRuntime, fake_engine, person_in
    if "prints" in words:
        print("hello from a library that prints")
        sys.stdout.flush()
    if {"deaf", "dumb"} & set(words):
        logging.basicConfig(stream=sys.stderr)
    if "deaf" in words:
        Wire.receive = at_the_second_call(Wire.receive)
    if "dumb" in words:
        messages.Heartbeat = at_the_second_call(messages.Heartbeat)
    runtime = FakeRuntime(step_s, later_s=1e6 if "hangs" in words else step_s)
    return serve(lambda: Host(fake_engine(runtime), person_in), stdout)


if __name__ == "__main__":
    sys.exit(main())
