"""Needs as many seconds as the first argument says for each request, without a line, and says so in its hello. With a
second argument, a run goes on until it is cancelled."""
import sys
import time

from speaking import finish, hello, requests, say

seconds = float(sys.argv[1])
hello(silence_s=4 * seconds, cancel_s=4 * seconds)
job = None
for request in requests(with_cancel=True):
    if request["type"] == "run":
        job = request["job"]
        if len(sys.argv) > 2:
            continue
    time.sleep(seconds)
    if request["type"] == "cancel":
        say("cancelled", job=job, frames=0)
    else:
        finish(job, 1)
