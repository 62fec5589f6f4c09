"""Prints what is no JSON, as a library that writes to stdout would."""
import sys
import time

from speaking import hello, requests

hello()
next(requests())
sys.stdout.buffer.write(b"\xff\xfeWARNING: 3 devices\n")
sys.stdout.flush()
time.sleep(60)
