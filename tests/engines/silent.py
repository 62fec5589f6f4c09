"""Takes the job and then sends nothing more; it also ignores cancel."""
import time

from speaking import hello

hello()
time.sleep(600)
