"""The method `stages`: a shortest path per request, and whether the budgets turned out slack."""

import math
import time
from dataclasses import dataclass
from fractions import Fraction

from optmodel.evaluate import evaluate
from optmodel.placement import Placement
from optmodel.problem import Problem, RequestTask
from optmodel.search import Search, within_budgets
from optmodel.solution import Termination
from optmodel.stages.assemble import Assembler
from optmodel.stages.fleet import Fleet
from optmodel.stages.path import ArcBook, Path, StageGraph
from optmodel.stages.relaxation import UNREACHABLE

SLACK = "stages: exact, no budget binds; every request takes its own optimum"
BINDING = (
    "stages: budgets bind, so the bound ignores that requests share them; it holds, but need not "
    "be reached"
)


@dataclass(frozen=True, eq=False)
class StageResult:
    """What the stages say of a batch.

    Attributes
    ----------
    paths : tuple of Path
        One per request.
    fleet : Fleet
        Whose ticks they count in.
    """

    paths: tuple[Path, ...]
    fleet: Fleet

    def bound_s(self, path: Path) -> float:
        """Return a path's bound in seconds, rounded down."""
        exactly = path.bound * self.fleet.tick_s
        rounded = float(exactly)
        return rounded if Fraction(rounded) <= exactly else math.nextafter(rounded, -math.inf)

    def placement(self) -> Placement | None:
        """Return all requests on their paths, budgets unchecked; None if one has no path."""
        if any(path.value is None for path in self.paths):
            return None
        deal = Assembler(self.fleet)
        tasks = self.fleet.problem.tasks
        return Placement(
            {
                task.request.id: deal.place(task, path)
                for task, path in zip(tasks, self.paths, strict=True)
            }
        )


def shortest_paths(problem: Problem, tolerance: float, deadline: float) -> StageResult:
    """Find the shortest path of every request; equal requests are solved once.

    Parameters
    ----------
    problem : Problem
        The batch; every layer must have a host.
    tolerance : float
        Relative gap at which a path counts as shortest.
    deadline : float
        `time.perf_counter()` at which to stop with bounds.
    """
    fleet = Fleet(problem)
    book = ArcBook(tolerance)
    known: dict[object, Path] = {}
    paths = []
    for task in problem.tasks:
        key = _what_counts(fleet, task)
        if key not in known:
            known[key] = StageGraph(fleet, task, book).shortest(deadline)
        paths.append(known[key])
    return StageResult(tuple(paths), fleet)


def _what_counts(fleet: Fleet, task: RequestTask) -> object:
    """Return what a request's path depends on."""
    return task.request.network, task.request.tolerated_ssim, task.source


def solve_stages(search: Search) -> Termination:
    """Solve every request by itself; exact if the placements together keep the budgets.

    The bound is the sum over requests: budgets only restrict, and requests meet nowhere else.
    """
    deadline = time.perf_counter() + min(search.left_s, 1e9)
    result = shortest_paths(search.problem, search.options.mip_gap, deadline)
    if any(path.bound >= UNREACHABLE for path in result.paths):
        search.infeasible = True
        return Termination.CONVERGED
    search.raise_bound(sum(result.bound_s(path) for path in result.paths))
    placement = result.placement()
    fits = placement is not None and within_budgets(
        search.problem, evaluate(search.problem, placement)
    )
    if placement is not None and fits:
        search.offer(placement)
        search.notes.append(SLACK)
    elif placement is not None:
        search.notes.append(BINDING)
    if search.closed or placement is not None:
        return Termination.CONVERGED
    return Termination.TIME_LIMIT
