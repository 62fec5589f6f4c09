"""The most memory that this process has needed."""

import ctypes
import sys

try:
    import resource
except ImportError:  # Windows
    resource = None


def peak_mb() -> float | None:
    """The peak of this process's resident memory in MB; None if the system does not say."""
    if sys.platform.startswith("linux"):
        return _peak_on_linux()
    if resource is not None:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS
    return _peak_on_windows()


def _peak_on_linux() -> float | None:
    """VmHWM of /proc. On Linux, getrusage includes what the parent had before it started us (measured: Blender's 1.3
    GB)."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) / 1e3 for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None


def _peak_on_windows() -> float | None:
    """PROCESS_MEMORY_COUNTERS.PeakWorkingSetSize, from psapi's GetProcessMemoryInfo."""
    class Counters(ctypes.Structure):
        _fields_ = [("size", ctypes.c_uint32), ("faults", ctypes.c_uint32),
                    *((name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "e", "f"))]
    counters = Counters(size=ctypes.sizeof(Counters))
    kernel = ctypes.windll.kernel32
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    is_known = kernel.K32GetProcessMemoryInfo(ctypes.c_void_p(kernel.GetCurrentProcess()),
                                          ctypes.byref(counters), counters.size)
    return counters.peak / 1e6 if is_known else None
