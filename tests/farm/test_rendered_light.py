"""Light that the shot's scene renders, in two tasks of a farm."""
import json

from conftest import LIT, PATIENCE_S, pictures

KINDS = ("irradiance", "cast", "frames", "shadow")


def test_tasks_that_share_the_light_make_the_pictures_of_one_run(lighting, blend, aa2, pack):
    written, running, log = lighting
    assert running.wait(PATIENCE_S) == 0, log.read_text()
    said = log.read_text(errors="replace")
    assert [said.count(f"Frames(STRING) = {number}-{number}") for number in range(1, LIT + 1)] == [1] * LIT, said
    made = pictures(written.job, *KINDS)
    assert len(made) == len(KINDS) * LIT
    assert len(set(pictures(written.job, "irradiance", "cast").values())) > LIT, "the rig moves, and its light with it"

    done = aa2("generate", "--pack", pack, "--output", blend.parent / "one run", "--save", "", blend=blend)
    assert done.returncode == 0, done.stderr
    assert made == pictures(json.loads(done.stdout.splitlines()[-1])["job"], *KINDS)
