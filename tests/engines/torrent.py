"""Sends progress without end and ignores all requests, like an engine in an endless loop."""
from speaking import hello, requests, say

hello()
request = next(requests())
say("frame", job=request["job"], number=1)
while True:
    say("progress", job=request["job"], stage="denoise", step=1, total=2)
