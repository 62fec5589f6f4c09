"""Says progress without end and listens to nobody, as an engine in an endless loop would."""
from speaking import hello, requests, say

hello()
request = next(requests())
say("frame", job=request["job"], number=1)
while True:
    say("progress", job=request["job"], stage="denoise", step=1, total=2)
