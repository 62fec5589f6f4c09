"""A text that others will read -> the same text without what tells who and where its writer is.

Folders, users, hosts, network shares and addresses are removed. What helps to find a fault stays: the last name of
every path, releases, codes. Names may hold spaces and apostrophes, so the end of a path cannot be known for sure. So
everything up to its last separator is removed: rather a word too many than one too few.
"""

import json
import os
import platform
import re
import urllib.parse
from pathlib import Path

JOB, HOST, LEFT_OUT = "JOB", "HOST", "…"
_BEGINS = r"""(?:[A-Za-z][A-Za-z0-9+.\-]*:/|\\\\|/|[A-Za-z]:\\|~[\w.\-]*[\\/])"""
# A path goes on to the end of its line, to what can only follow one, or to where the next begins.
_STOP = rf"""(?:\s["'(\[=]*{_BEGINS}|[:;](?=[\s\d]|["'(]?[\\/]|$)|"(?=[\s,.;:)\]}}]|$))"""
_PATH = re.compile(rf"""(?P<start>
      \b(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://(?P<host>[^\s/\\"']*)(?:/+[A-Za-z]:(?=/))?
    | \bfile:/+(?:[A-Za-z]:/+)?
    | (?P<drive>(?<![A-Za-z])(?:\\\\+\?\\+)?[A-Za-z]:[\\/]+)
    | (?P<share>(?<![\w:\\/{LEFT_OUT}])(?:\\\\+|//)(?=[\w?.\[]))
    | (?P<home>(?<![\w\\/])~[\w.\-]*[\\/]+|(?<![\w\\/])~[\w.\-]+)
    | (?P<root>(?<![\w.\\/~{LEFT_OUT}])/(?=[^\s/]))
    )(?P<rest>(?:(?!{_STOP})[^\n\r])*)""", re.VERBOSE)
_SEPARATORS = re.compile(r"[\\/]+")
_DISTANT = {"file", "smb", "cifs", "afp", "nfs", "dav", "davs"}              # a share comes behind the host
# How many names at the start of a path tell a user or a disk, by its first.
_PRIVATE = {"home": 2, "users": 2, "documents and settings": 2, "mnt": 2, "net": 2, "volumes": 2, "media": 2, "run": 3}
_MAILBOX = re.compile(r"\b[\w.+\-]+@[\w.\-]*\w")
_LOCAL_NUMBER = re.compile(r"\b(?:(?:10|127)\.\d{1,3}|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))"
                           r"(?:\.\d{1,3}){2}\b(?!\.\d)")
_PROCESS = re.compile(r"(\bprocess \d+ on )[^\s,;:'\")]*[^\s,;:'\").]")      # engine.lock's words for who holds it
_COMMON_HOSTS = {"localhost", "blender", "engine", "linux", "python"}


def anonymous(text: str, job: Path, *, home: str | None = None, host: str | None = None) -> str:
    """The text with the folder `job` as JOB, and without anything that tells the writer. `home` and `host`: this
    machine's own unless given."""
    host = platform.node() if host is None else host
    for folder, word in ((job, JOB), (home or os.path.expanduser("~"), "~")):
        text = _without_folder(text, os.fspath(folder), word)
    for name in sorted({host, host.partition(".")[0]}, key=len, reverse=True):
        if len(name) > 2 and name.lower() not in _COMMON_HOSTS:
            text = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", HOST, text, flags=re.IGNORECASE)
    text = _PROCESS.sub(rf"\1{HOST}", _PATH.sub(_last_name, text))
    return _LOCAL_NUMBER.sub(HOST, _MAILBOX.sub(LEFT_OUT, text))


def _without_folder(text: str, folder: str, word: str) -> str:
    """Replaces the folder in every spelling: as it is, by its real path, within JSON, in an address, with either
    separator."""
    if len(Path(folder).parts) < 2:
        return text
    spelled = {folder, os.path.realpath(folder), folder.replace("\\", "/")}
    spelled |= {json.dumps(name, ensure_ascii=plain)[1:-1] for name in spelled for plain in (True, False)}
    spelled |= {urllib.parse.quote(name) for name in spelled}
    for name in sorted(spelled, key=len, reverse=True):
        text = re.sub(rf"(?:\bfile:/*(?=/)|(?<![\w.~])){re.escape(name)}(?![\w\-])", word, text)
    return text


def _last_name(match: re.Match[str]) -> str:
    names = [name for name in _SEPARATORS.split(match["rest"]) if name not in ("", "?", ".")]
    if match["share"] and names[:1] == ["UNC"]:
        del names[0]
    if not names or len(names) <= _private(match, names):
        return LEFT_OUT
    return f"{LEFT_OUT}/{names[-1]}"


def _private(match: re.Match[str], names: list[str]) -> int:
    """How many of the first names have to go, however long the path is."""
    if match["share"]:
        return 2
    if match["scheme"] and match["host"] and match["scheme"].lower() in _DISTANT:
        return 1
    return _PRIVATE.get(names[0].lower(), 0)
