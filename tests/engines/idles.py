"""Takes the job, and from then on sends heartbeats that say it does nothing."""
import time

from speaking import hello, requests, say

hello()
next(requests())
while True:
    say("heartbeat", busy=False)
    time.sleep(0.05)
