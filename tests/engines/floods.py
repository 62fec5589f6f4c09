"""Sends a hundred thousand correct messages at once."""
from speaking import finish, hello, requests, say

hello()
for request in requests():
    for number in range(100_000):
        say("progress", job=request["job"], stage="denoise", step=number, total=100_000)
    finish(request["job"], 1)
