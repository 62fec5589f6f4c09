"""Ends before its hello, as with a broken library."""
import sys

sys.exit("ImportError: libsomething.so.1: cannot open shared object file")
