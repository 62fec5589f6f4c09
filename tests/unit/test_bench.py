"""What the bench reports about the machine: what its numbers depend on, and nothing that identifies its owner."""
import os
import platform
import re
from dataclasses import replace

from engine.engines.compact.nets.flops import flops_per_frame
from engine.engines.compact.runtimes.ort import OrtRuntime
from engine.packs.store import open_pack
from tests.bench import bench
from tests.bench.engine_speed import denoising_step
from tests.unit.tiny import TINY, tiny_model


def test_the_machine_is_its_processor_and_its_cores():
    told = bench.machine()
    assert set(told) == {"cpu", "cores"} and 1 <= told["cores"] <= os.cpu_count() and told["cpu"]


def test_the_table_has_no_kernel_and_no_host():
    told = {"machine": bench.machine(), "window_denoise_s": 1.0, "threads": 2, "pack": "compact", "default_steps": 1,
            "stages": {"read": 0.1}}
    table = bench.table(dict.fromkeys(bench.ROWS, 1.0) | told)
    assert f"{bench.machine()['cores']} cores; 2 engine threads" in table
    assert platform.release() not in table
    host = platform.node()      # may be as short as a part of any word
    assert not host or not re.search(rf"(?<!\w){re.escape(host)}(?!\w)", table)


def test_the_denoiser_that_ships_is_timed_and_counted():
    opened = open_pack()
    step, operations = denoising_step(OrtRuntime(opened.folder, 1), opened.manifest)
    step()
    assert 1e9 < operations / opened.manifest.window < 1e10


def test_maps_of_the_surface_cost_the_denoiser_alone():
    without, with_maps = (flops_per_frame(tiny_model(replace(TINY, surface=surface)), 64, 64, 2)
                          for surface in (False, True))
    assert [name for name in without if without[name] != with_maps[name]] == ["denoise"]
    assert without["denoise"] < with_maps["denoise"]
