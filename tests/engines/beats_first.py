"""Sends heartbeats, but never hello."""
import time

from speaking import say

while True:
    say("heartbeat", busy=True)
    time.sleep(0.05)
