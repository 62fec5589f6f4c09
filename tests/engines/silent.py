"""Takes the job and never says anything again, deaf to cancel too."""
import time

from speaking import hello

hello()
time.sleep(600)
