"""Light that the shot's scene renders, in two tasks of a farm."""
import shutil

from conftest import LIT, PATIENCE_S, pictures

LIGHT = ("irradiance", "cast")


def test_tasks_that_share_the_light_render_what_one_does(lighting, blend, aa2, tmp_path):
    written, running, log = lighting
    assert running.wait(PATIENCE_S) == 0, log.read_text()
    said = log.read_text(errors="replace")
    assert [said.count(f"Frames(STRING) = {number}-{number}") for number in range(1, LIT + 1)] == [1] * LIT, said
    light = pictures(written.job, *LIGHT)
    assert len(light) == 2 * LIT and len(pictures(written.job)) == 2 * LIT, "the frames are lit by it"
    assert len(set(light.values())) == 2 * LIT

    left_out = shutil.ignore_patterns(*LIGHT, "*.light", "frames", "shadow", "state", "engine.lock", "*.jsonl")
    whole = shutil.copytree(written.job, tmp_path / "job", ignore=left_out)
    done = aa2("light", "--job", whole, blend=blend)
    assert done.returncode == 0, done.stderr
    assert pictures(whole, *LIGHT) == light
