"""What deciding is held against: rows of work, each with what to reach at least, and the aim."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from statistics import mean

from benchmarks.common.command import instance_files
from benchmarks.common.records import Record
from benchmarks.decisions.decision_times import DecisionCase
from benchmarks.runtime.speed_targets import mixed_batch, singles
from instances.listed_sets import MEDIUM, SMALL
from instances.paper_set import PAPER
from instances.set_members import solution_file
from optmodel.placement import SolutionStatus, read_solution
from optmodel.problem import read_instance

Value = Callable[[Sequence[Record]], float]
"""What is held against the numbers of a row; infinite if something to be served was rejected."""


@dataclass(frozen=True)
class PolicyTarget:
    """One row of the table."""

    work: str
    """Says what is measured, and in which unit."""
    cases: tuple[DecisionCase, ...]
    value: Value
    """Summarises the records of the cases, which come in their order."""
    at_least: float
    aim: float
    """What to reach: at most so much."""


def policy_table(repeat: int) -> tuple[PolicyTarget, ...]:
    """Return the rows; single decisions are run so many times."""
    vgg16 = singles(("vgg16",), 70, (0.8, 0.6, 0.4), ("power", "mixed"))
    fast, cold, warm = (
        tuple(DecisionCase(instance, contender, repeat=repeat) for instance in vgg16)
        for contender in ("algorithm1", "lookahead", "lookahead (warm)")
    )
    single = single_requests([named.folder for named in (SMALL, MEDIUM, PAPER)])
    improved = tuple(replace(case, contender="lookahead (improved)") for case in single)
    batch = tuple(DecisionCase(instance, "lookahead") for instance in mixed_batch())
    one = "VGG16 request, 70 devices"
    everywhere = "single requests of small, medium, paper: gap"
    return (
        PolicyTarget(f"{one}: algorithm1, ms", fast, slowest_ms, 50, 5),
        PolicyTarget(f"{one}: lookahead, first of its kind, ms", cold, slowest_ms, 200, 20),
        PolicyTarget(f"{one}: lookahead, kind known, ms", warm, slowest_ms, 200, 20),
        PolicyTarget(f"{everywhere}, mean %", single, mean_gap, 3, 0.5),
        PolicyTarget(f"{everywhere}, worst %", single, worst_gap, 15, 3),
        PolicyTarget(f"{everywhere} after 30 s of improvement, mean %", improved, mean_gap, 1, 0.1),
        PolicyTarget("320 mixed requests, 70 devices: lookahead, s", batch, seconds, 60, 5),
    )


def single_requests(folders: Sequence[Path]) -> tuple[DecisionCase, ...]:
    """Return the instances of one request that have a placement, with their shipped bounds."""
    files = [file for folder in folders for file in instance_files("SET", folder)]
    cases = []
    for file in files:
        instance, known = read_instance(file), read_solution(solution_file(file))
        if len(instance.requests) == 1 and known.solution_status is not SolutionStatus.INFEASIBLE:
            cases.append(DecisionCase(instance, "lookahead", known.bound_s))
    return tuple(cases)


def slowest_ms(records: Sequence[Record]) -> float:
    """Return the milliseconds of the slowest run."""
    return 1e3 * max(record.wall_time_s for record in records)


def seconds(records: Sequence[Record]) -> float:
    """Return the seconds of all runs."""
    return sum(record.wall_time_s for record in records)


def mean_gap(records: Sequence[Record]) -> float:
    """Return the mean gap in percent."""
    return mean(_gaps(records))


def worst_gap(records: Sequence[Record]) -> float:
    """Return the largest gap in percent."""
    return max(_gaps(records))


def _gaps(records: Sequence[Record]) -> list[float]:
    return [inf if record.gap is None else 100 * record.gap for record in records]
