"""Sends what is wrong with its weights instead of hello."""
from speaking import say

say("failed", job=None, code="pack_missing", message="There is no pack.json in /weights.",
    hint="Choose another folder.")
