"""Solve one instance in a process of its own, which `benchmarks.runtime.measure` starts.

Usage: python -m benchmarks.runtime.runtime_worker INSTANCE.json METHOD OPTIONS ANSWER.json, where
OPTIONS is a JSON object of `SolverOptions`. The process ends when its standard input does, so that
no run outlives a benchmark that was killed.
"""

import json
import logging
import os
import resource
import sys
import threading
import time
from enum import IntEnum
from pathlib import Path

from optmodel.ground.json_files import StrictModel, write_model
from optmodel.ground.rule_errors import InputError, ResultError
from optmodel.placement import Solution
from optmodel.problem import read_instance
from optmodel.search import SolverOptions
from optmodel.solving import solve

MEMORY_LIMIT_BYTES = 8 * 10**9
"""Address space of a run: twice what a run should need, so that the machine survives it."""


class Exit(IntEnum):
    """Exit codes that say more than "crashed"."""

    FINISHED = 0
    REFUSED = 2
    WRONG = 3
    OUT_OF_MEMORY = 4


class WorkerAnswer(StrictModel):
    """What a finished run reports."""

    read_s: float
    """Seconds to read and validate the instance's file."""
    peak_memory_bytes: int
    """Largest resident memory of the run, programs it started included."""
    solution: Solution


def peak_memory_bytes() -> int:
    """Return the largest resident memory of this process, plus that of the largest program it ran.

    `ru_maxrss` of a process starts at what its parent held when it was started, so Linux is asked
    for its own count. The sum is an upper bound: the two peaks need not coincide.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    programs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    return (
        _own_peak_bytes() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    ) + programs


def _own_peak_bytes() -> int | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    peaks = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0].split()[1]) * 1024 if peaks else None


def _end_with_standard_input() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


def _run(file: Path, method: str, options: SolverOptions, answer: Path) -> None:
    start = time.perf_counter()
    instance = read_instance(file)
    read_s = time.perf_counter() - start
    solution = solve(instance, method, options)
    write_model(
        answer,
        WorkerAnswer(read_s=read_s, peak_memory_bytes=peak_memory_bytes(), solution=solution),
    )


def main(file: str, method: str, options: str, answer: str) -> Exit:
    """Solve, write the answer, and return how it went; errors go to standard error."""
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    logging.getLogger("pyomo").setLevel(logging.ERROR)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, hard))
    try:
        _run(Path(file), method, SolverOptions(**json.loads(options)), Path(answer))
    except InputError as error:
        print(error, file=sys.stderr)
        return Exit.REFUSED
    except ResultError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return Exit.WRONG
    except MemoryError:
        print(f"needs more than {MEMORY_LIMIT_BYTES / 1e9:g} GB", file=sys.stderr)
        return Exit.OUT_OF_MEMORY
    return Exit.FINISHED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
