"""Takes a job and makes one frame each second. It checks for cancel between frames, as the engine does between
steps."""
import select
import sys

from speaking import finish, hello, requests, say

hello()
for request in requests():
    for number in range(1, 601):
        say("progress", job=request["job"], stage="denoise", step=number, total=600, eta_s=600.0 - number)
        say("frame", job=request["job"], number=number)
        if select.select([sys.stdin], [], [], 1.0)[0] and "cancel" in sys.stdin.readline():
            say("cancelled", job=request["job"], frames=number)
            break
    else:
        finish(request["job"], 600)
