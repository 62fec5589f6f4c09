"""What the bench reports about the machine: what its numbers depend on, and nothing that identifies its owner."""
import os
import platform

from tests.bench import bench


def test_the_machine_is_its_processor_and_its_cores():
    told = bench.machine()
    assert set(told) == {"cpu", "cores"} and 1 <= told["cores"] <= os.cpu_count() and told["cpu"]


def test_the_table_has_no_kernel_and_no_host():
    told = {"machine": bench.machine(), "window_denoise_s": 1.0, "threads": 2, "pack": "compact", "default_steps": 1,
            "stages": {"read": 0.1}}
    table = bench.table(dict.fromkeys(bench.ROWS, 1.0) | told)
    assert f"{bench.machine()['cores']} cores; 2 engine threads" in table
    assert platform.release() not in table and platform.node() not in table
