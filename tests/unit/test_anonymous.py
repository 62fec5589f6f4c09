"""Texts for others contain no folder, user, host, share or address, and keep what helps: last names, versions,
codes."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JOB = "/srv/aa2_jobs/a shot/v001"


@pytest.fixture(scope="module")
def anonymous():
    """Only the module, because its package needs Blender."""
    told = importlib.util.spec_from_file_location("anonymous", ROOT / "aa2_blender" / "anonymous.py")
    module = importlib.util.module_from_spec(told)
    told.loader.exec_module(module)
    return module.anonymous


CASES = [
    # the job's folder, and this machine's home and host
    (f"{JOB}/frames/0001.png is missing", "JOB/frames/0001.png is missing"),
    (f'"job": "{JOB}"', '"job": "JOB"'),
    ("file:///srv/aa2_jobs/a%20shot/v001/job.json", "JOB/job.json"),
    ("/srv/aa2_jobs/a shot/v0012/job.json", "…/job.json"),
    ("/home/jane o'brien does not exist", "~ does not exist"),
    ("/home/jane o'brien/clips/x.png: no", "…/x.png: no"),
    ("file:///home/jane%20o%27brien/clips/x.png", "…/x.png"),
    ("on render-07.studio.example, and on render-07", "on HOST, and on HOST"),
    ("held by process 4711 on another-box.local.", "held by process 4711 on HOST."),
    # POSIX
    ("/home/somebody/secret place/x.png: no.", "…/x.png: no."),
    ("cannot read /home/o'neill/film's end/plate 1.mov (frame 4)", "cannot read …/plate 1.mov (frame 4)"),
    ("'/home/o'neill/film.mov' is gone", "'…/film.mov' is gone"),
    ("[Errno 2] No such file: '/home/o\\'neill/film.mov'", "[Errno 2] No such file: '…/film.mov'"),
    ('File "/usr/lib/secret/z.py", line 3, in <module>', 'File "…/z.py", line 3, in <module>'),
    ("/mnt/a/b.png and /mnt/c d/e.png differ", "…/b.png and …/e.png differ"),
    ("('/mnt/a/b.png', '/mnt/c/e.png')", "('…/b.png', '…/e.png')"),
    ("PATH=/home/ann/bin:/home/ann/lib", "PATH=…/bin:…/lib"),
    ("HOME=/home/ann", "HOME=…"),
    ("cd /home/ann lee", "cd …"),
    ("/media/ann/x.png /Volumes/Client/y.png /run/media/ann/z.png", "…/x.png …/y.png …/z.png"),
    ("/Volumes/Client", "…"),
    ("~ann/clips/x.png, ~/y.png", "…/x.png, …/y.png"),
    # Windows, shares
    (r"See C:\Users\Ann Lee\y.blend", "See …/y.blend"),
    (r'{"video": "D:\\Client\\shot 3\\plate.mp4"}', '{"video": "…/plate.mp4"}'),
    (r"C:\Users\ann", "…"),
    ("C:/Users/ann/y.blend: no", "…/y.blend: no"),
    (r"\\fileserver\projects\secret\x.exr is gone", "…/x.exr is gone"),
    (r"\\fileserver\projects", "…"),
    (r'"\\\\fileserver\\projects\\x.exr"', '"…/x.exr"'),
    (r"\\?\UNC\fileserver\projects\a\x.exr", "…/x.exr"),
    (r"\\?\C:\Users\ann\x.exr", "…/x.exr"),
    ("//fileserver/projects/secret/x.exr", "…/x.exr"),
    ("(//fileserver/projects)", "(…"),
    # addresses
    ("file:///home/ann/my%20film.mp4", "…/my%20film.mp4"),
    ("file://fileserver/projects/x.exr", "…/x.exr"),
    ("file:/home/ann%20lee/x.exr", "…/x.exr"),
    ("file:///C:/Users/ann/x.exr", "…/x.exr"),
    ("smb://fileserver/projects/a b/x.exr", "…/x.exr"),
    ("smb://ann:word@fileserver/projects", "…"),
    ("afp://fileserver.local/projects/x.exr", "…/x.exr"),
    ("nfs://10.1.2.3/export/x.exr", "…/x.exr"),
    ("see http://ann@build.studio.example:8080/job/17", "see …/17"),
    ("https://build.studio.example", "…"),
    ("mail ann.lee@studio.example now", "mail … now"),
    ("at 192.168.1.20:8080 and 10.0.0.7", "at HOST:8080 and HOST"),
    # what stays
    ("AA2 0.1.0, protocol 1, job 1", None),
    ("Blender 4.5.15 LTS (a1b2c3d4), opencv 4.11.0.86, numpy 10.0.1", None),
    ("Linux-5.10.0-x86_64-with-glibc2.36, 2 cores", None),
    ("footage_cut_off: 14 of 20 frames, and/or 3/4 of them; 25 f/s", None),
    ("preview/mask/0001.png and frames/made.json", None),
    ("…/x.png was left out", None),
    ("denoise 3 of 10: 4.5 s a frame // as planned", None),
    ("size: expected 64x48, got 16:9 at 12:30", None),
    ("Ratio 1:2, a colon: b", None),
]


@pytest.mark.parametrize("text, wanted", CASES, ids=[text for text, _ in CASES])
def test_a_text(anonymous, text, wanted):
    said = anonymous(text, JOB, home="/home/jane o'brien", host="render-07.studio.example")
    assert said == (text if wanted is None else wanted)


def test_a_home_is_only_where_it_begins(anonymous):
    said = anonymous("/root/x.png /mnt/root/y.png /rooted/z.png /root", JOB, home="/root")
    assert said == "…/x.png …/y.png …/z.png ~"


def test_again_it_stays(anonymous):
    for text, _ in CASES:
        once = anonymous(text, JOB, home="/home/jane o'brien", host="render-07.studio.example")
        assert anonymous(once, JOB, home="/home/jane o'brien", host="render-07.studio.example") == once


def test_lines_are_looked_at_one_by_one(anonymous):
    text = "/home/ann/a.png\nframe 1/2\n\\\\server\\share\\b.png\n"
    assert anonymous(text, JOB) == "…/a.png\nframe 1/2\n…/b.png\n"


@pytest.mark.parametrize("host", ["", "pc", "localhost", "blender"])
def test_hosts_of_common_words_are_no_secret(anonymous, host):
    assert anonymous("a blender on a pc", JOB, host=host) == "a blender on a pc"
