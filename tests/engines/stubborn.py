"""Works on every request, and ignores being terminated."""
import signal
import time

from speaking import hello, requests, say

signal.signal(signal.SIGTERM, signal.SIG_IGN)
hello()
request = next(requests())
for number in range(1, 1000):
    say("frame", job=request["job"], number=number)
    time.sleep(0.2)
