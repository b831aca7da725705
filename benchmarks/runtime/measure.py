"""Measure one run in a process of its own, and record it however it ends."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.runtime.runtime_record import ProcessEnd, RunRecord
from benchmarks.runtime.runtime_worker import Exit, WorkerAnswer
from optmodel.ground.json_files import read_model, write_model
from optmodel.ground.rule_errors import InputError
from optmodel.placement import Solution, Termination
from optmodel.problem import Instance
from optmodel.search import SolverOptions
from optmodel.solution_builder import bare_solution

WORKER = ("-m", "benchmarks.runtime.runtime_worker")
"""What Python runs for each measurement."""

PATIENCE_S = 30.0
"""How long a run may go on after its time limit, in seconds, before it is killed."""

_OUTCOMES: dict[int, ProcessEnd] = {
    Exit.FINISHED: ProcessEnd.FINISHED,
    Exit.WRONG: ProcessEnd.WRONG,
    Exit.OUT_OF_MEMORY: ProcessEnd.OUT_OF_MEMORY,
}
_TERMINATIONS = {ProcessEnd.KILLED: Termination.TIME_LIMIT}


def measure(instance: Instance, method: str, options: SolverOptions, repeat: int) -> RunRecord:
    """Run a method on an instance so many times, and record the run of median time.

    Every run starts afresh, so that none profits from what another has loaded or cached; the
    times leave out starting Python. Of an even number the faster of the two middle ones counts.

    Raises
    ------
    InputError
        If the method or solver refuses the options.
    """
    runs = [_measure_once(instance, method, options) for _ in range(repeat)]
    runs.sort(key=lambda run: (run.outcome is not ProcessEnd.FINISHED, run.seconds))
    middle = runs[(repeat - 1) // 2]
    return middle.model_copy(update={"options": middle.options | {"repeat": repeat}})


def _measure_once(instance: Instance, method: str, options: SolverOptions) -> RunRecord:
    with tempfile.TemporaryDirectory() as folder:
        file, answer = Path(folder) / "instance.json", Path(folder) / "answer.json"
        write_model(file, instance)
        start = time.perf_counter()
        outcome, error = _run_worker(file, method, options, answer)
        elapsed_s = time.perf_counter() - start
        requests = len(instance.requests)
        if outcome is ProcessEnd.FINISHED:
            told = read_model(answer, WorkerAnswer)
            return RunRecord.finished(told.solution, requests, told.read_s, told.peak_memory_bytes)
    nothing = _nothing(instance, method, options, outcome, elapsed_s)
    return RunRecord.failed(nothing, requests, outcome, error)


def _run_worker(
    file: Path, method: str, options: SolverOptions, answer: Path
) -> tuple[ProcessEnd, str | None]:
    """Start the worker and wait for it; return how it ended, and the last line that it said."""
    command = [sys.executable, *WORKER, str(file), method, json.dumps(asdict(options))]
    command.append(str(answer))
    patience = None if options.time_limit_s is None else options.time_limit_s + PATIENCE_S
    alive, hold = os.pipe()
    try:
        worker = subprocess.Popen(
            command,
            stdin=alive,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            _, said = worker.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            return ProcessEnd.KILLED, f"still running {PATIENCE_S:g} s after its time limit"
        finally:
            _end(worker)
    finally:
        os.close(alive)
        os.close(hold)
    last = said.strip().rpartition("\n")[2] or f"exit code {worker.returncode}"
    if worker.returncode == Exit.REFUSED:
        raise InputError(last)
    return _OUTCOMES.get(worker.returncode, ProcessEnd.CRASHED), last


def _end(worker: subprocess.Popen[str]) -> None:
    """Kill a worker that still runs, and the programs it started."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate()


def _nothing(
    instance: Instance, method: str, options: SolverOptions, outcome: ProcessEnd, elapsed_s: float
) -> Solution:
    """Return the solution of a run that returned none."""
    ended = _TERMINATIONS.get(outcome, Termination.ERROR)
    return bare_solution(instance, method, ended, elapsed_s, asdict(options), options.solver)
