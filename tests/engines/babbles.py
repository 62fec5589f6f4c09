"""Prints lines that are not JSON, like a library that writes to stdout."""
import sys
import time

from speaking import hello, requests

hello()
next(requests())
sys.stdout.buffer.write(b"\xff\xfeWARNING: 3 devices\n")
sys.stdout.flush()
time.sleep(60)
