"""How long a policy takes to decide: timed in this process, checked, the median of some runs."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks.common.records import Record
from heuristics.improvement import improve
from heuristics.policies import checked_solution, make_policy
from heuristics.policy import PolicyOutcome, place_all
from optmodel.ground.rule_errors import ResultError
from optmodel.placement import SolutionStatus, relative_gap
from optmodel.problem import Instance, Problem
from optmodel.search import BOUND_TOLERANCE

SEED = 0
IMPROVEMENT_S = 30.0
"""Seconds of improvement, at most; it ends at the optimum."""

Run = Callable[[], PolicyOutcome]
"""Decides on a batch: what is timed."""


def _cold(problem: Problem, policy: str) -> Run:
    return partial(place_all, problem, make_policy(policy, SEED))


def _warm(problem: Problem, policy: str) -> Run:
    place = _cold(problem, policy)
    place()
    return place


def _improved(problem: Problem) -> Run:
    """Prepare to improve what `lookahead` decides; time limits and rejections are part of it."""
    place = _cold(problem, "lookahead")

    def run() -> PolicyOutcome:
        """Decide, then improve."""
        start = place()
        better = improve(problem, start.placement, time_limit_s=IMPROVEMENT_S, seed=SEED)
        return PolicyOutcome(better.placement, start.rejected)

    return run


CONTENDERS: Mapping[str, Callable[[Problem], Run]] = {
    "algorithm1": partial(_cold, policy="algorithm1"),
    "lookahead": partial(_cold, policy="lookahead"),
    "lookahead (warm)": partial(_warm, policy="lookahead"),
    "lookahead (improved)": _improved,
}
"""How a run is prepared, by the name that records give it. `lookahead` knows nothing before; warm,
it has placed the same requests before; improved, it has half a minute more."""


@dataclass(frozen=True)
class DecisionCase:
    """What is measured."""

    instance: Instance
    """The requests, in order of arrival."""
    contender: str
    """A key of `CONTENDERS`."""
    bound_s: float | None = None
    """A proven bound on serving all of them, in seconds."""
    repeat: int = 1
    """Number of runs; of an even number the faster of the two middle ones is recorded."""

    @property
    def options(self) -> dict[str, str | int | float | bool | None]:
        """What records of this case state."""
        return {"seed": SEED, "repeat": self.repeat}


def decide(case: DecisionCase) -> Record:
    """Run a contender, and record the run of median time.

    The time is that of deciding on the requests and booking them; the arrays of fleet and requests
    are there before.

    Raises
    ------
    ResultError
        If a placement fails the checker, or beats the bound.
    """
    problem = Problem.of(case.instance)
    prepare = CONTENDERS[case.contender]
    runs = sorted((_timed(prepare(problem)) for _ in range(case.repeat)), key=lambda run: run[0])
    seconds, outcome = runs[(case.repeat - 1) // 2]
    solution = checked_solution(problem, outcome, case.contender, SEED, seconds)
    record = Record.of(solution, len(case.instance.requests))
    gap = _gap(record, case.bound_s)
    return record.model_copy(update={"bound_s": case.bound_s, "gap": gap, "options": case.options})


def _timed(run: Run) -> tuple[float, PolicyOutcome]:
    start = time.perf_counter()
    outcome = run()
    return time.perf_counter() - start, outcome


def _gap(record: Record, bound_s: float | None) -> float | None:
    """Return the gap to a bound on serving all requests, if all are served."""
    if record.solution_status is not SolutionStatus.FEASIBLE or record.objective_s is None:
        return None
    if bound_s is not None and record.objective_s < bound_s * (1 - BOUND_TOLERANCE):
        raise ResultError(
            f"{record.instance}: {record.method} takes {record.objective_s!r} s, below the proven "
            f"bound {bound_s!r} s"
        )
    return relative_gap(record.objective_s, bound_s)
