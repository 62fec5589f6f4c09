"""An engine of another version."""
from speaking import hello, requests

hello(protocol=99)
list(requests())
