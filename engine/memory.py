"""How much memory this process has needed at most."""

import ctypes
import sys

try:
    import resource
except ImportError:  # Windows
    resource = None


def peak_mb() -> float | None:
    """The peak of this process's resident memory in MB; None where the system does not tell."""
    if resource is not None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1e6 if sys.platform == "darwin" else 1e3)  # bytes there, kB elsewhere
    return _peak_on_windows()


def _peak_on_windows() -> float | None:
    """PROCESS_MEMORY_COUNTERS.PeakWorkingSetSize, from psapi's GetProcessMemoryInfo."""
    class Counters(ctypes.Structure):
        _fields_ = [("size", ctypes.c_uint32), ("faults", ctypes.c_uint32),
                    *((name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "e", "f"))]
    counters = Counters(size=ctypes.sizeof(Counters))
    kernel = ctypes.windll.kernel32
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    told = kernel.K32GetProcessMemoryInfo(ctypes.c_void_p(kernel.GetCurrentProcess()), ctypes.byref(counters), counters.size)
    return counters.peak / 1e6 if told else None
