"""Takes the job, and from then on says that it is alive and does nothing."""
import time

from speaking import hello, requests, say

hello()
next(requests())
while True:
    say("heartbeat", busy=False)
    time.sleep(0.05)
