"""Writes so many MB to stderr without an end of line, sends two thousand messages for each, and ends the job."""
import sys

from speaking import finish, hello, requests, say

hello()
for request in requests():
    for _ in range(int(sys.argv[1])):
        sys.stderr.buffer.write(b"x" * 2**20)
        sys.stderr.flush()
    for number in range(1, int(sys.argv[1]) * 1000 + 1):
        say("progress", job=request["job"], stage="denoise", step=number, total=10**6)
        if number % 2:
            say("frame", job=request["job"], number=number)
            say("frame", job=request["job"], number=number)
    for number in range(150):
        say("warning", job=request["job"], code="x", message=f"{number}", frames=[1])
        say("warning", job=request["job"], code="x", message=f"{number}", frames=[1])
    sys.stderr.write("\nthe last line\n")
    finish(request["job"], 1)
