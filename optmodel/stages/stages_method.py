"""The method `stages`: a shortest path per request, and whether the budgets turned out slack."""

from dataclasses import dataclass

from optmodel.placement import Placement, Termination, evaluate
from optmodel.problem import FEW_KINDS, Fleet, Problem, with_fewer_kinds
from optmodel.search import Allowance, Search, within_budgets
from optmodel.stages.arcs.counting_bounds import UNREACHABLE
from optmodel.stages.path_assembler import PathAssembler
from optmodel.stages.stage_graph import ArcBook, StageGraph, StagePath

SLACK = "stages: exact, no budget binds; every request takes its own optimum"
BINDING = (
    "stages: budgets bind, so the stages give a bound only; it leaves out what layers and requests "
    "take of them together"
)

MANY_KINDS = (
    "stages: the devices are of so many kinds that the bound is one for a fleet of fewer kinds, "
    "each as good as the best that it stands for"
)
MOST_KINDS = 43
"""Fleets of more kinds of devices are bounded as if they had few (`problem.coarse_fleet`): so many
are the most whose signatures are all told apart."""
SHARE_OF_GAP = 0.01
"""What the stages may leave of the asked gap: closing them nearly costs no more than to the gap."""
NOTHING_KNOWN = StagePath(0, (), None)
"""No placement is faster than none, at least."""
LEAST_TOLERANCE = 1e-8
"""Relative; what ticks and floats may leave of it."""


@dataclass(frozen=True, eq=False)
class StageResult:
    """What the stages say of a batch; bounds hold even if Ctrl-C cut the search short."""

    paths: dict[str, StagePath]
    """By request id; without any path alone a request has an UNREACHABLE bound."""
    fleet: Fleet
    """Its ticks are the unit of all bounds; it has fewer kinds where devices are of too many."""
    interrupted: bool
    """Whether Ctrl-C cut the search short."""

    @property
    def reachable(self) -> dict[str, StagePath]:
        """The paths of the requests that can be served alone."""
        return {name: path for name, path in self.paths.items() if path.bound < UNREACHABLE}

    def bound_s(self, number: int | None = None) -> float:
        """Return the sum of the reachable requests' bounds in seconds, rounded down.

        Of so many of the least bounds, if a number is given.
        """
        bounds = sorted(path.bound for path in self.reachable.values())
        return self.fleet.seconds(sum(bounds[:number]))

    def placement(self) -> Placement | None:
        """Return the reachable requests on their paths, if every one has one, budgets unchecked."""
        reachable = self.reachable
        if any(path.value is None for path in reachable.values()):
            return None
        deal = PathAssembler(self.fleet)
        return Placement(
            {
                task.request.id: deal.place(task, reachable[task.request.id])
                for task in self.fleet.problem.tasks
                if task.request.id in reachable
            }
        )


def shortest_paths(problem: Problem, tolerance: float, allowance: Allowance) -> StageResult:
    """Find the shortest path of every request; equal requests are solved once.

    Up to a relative gap. Where what is allowed ends, the bounds are those known by then.
    """
    seen = with_fewer_kinds(problem, MOST_KINDS, FEW_KINDS)
    fleet, book = Fleet(seen), ArcBook(tolerance)
    known: dict[object, StagePath] = {}
    paths: dict[str, StagePath] = {}
    interrupted = False
    for task in seen.tasks:
        key = seen.kind_of(task)
        if key not in known:
            graph: StageGraph | None = None
            known[key] = NOTHING_KNOWN
            try:
                if not interrupted:
                    graph = StageGraph(fleet, task, book)
                    known[key] = graph.shortest(allowance)
            except KeyboardInterrupt:
                interrupted = True
                known[key] = NOTHING_KNOWN if graph is None else graph.known
        # A path on a fleet of fewer kinds is none on this one.
        bound_only = StagePath(known[key].bound, (), None)
        paths[task.request.id] = known[key] if seen is problem else bound_only
    return StageResult(paths, fleet, interrupted)


def solve_stages(search: Search) -> Termination:
    """Solve every request by itself; exact if the placements together keep the budgets."""
    if solve_alone(search, search.allowance()).interrupted:
        return Termination.INTERRUPTED
    return Termination.TIME_LIMIT if search.left_s <= 0 else Termination.CONVERGED


def solve_alone(search: Search, allowance: Allowance) -> StageResult:
    """Solve every request as if alone; offer the placements together if they keep the budgets.

    The bound is the sum over requests: budgets only restrict, and requests meet nowhere else. A
    request that cannot be served alone cannot be served at all.
    """
    tolerance = max(search.options.mip_gap * SHARE_OF_GAP, LEAST_TOLERANCE)
    result = shortest_paths(search.problem, tolerance, allowance)
    if len(result.reachable) < len(result.paths) and search.options.admission == "all":
        search.infeasible = True
        return result
    search.most_served = min(search.most_served, len(result.reachable))
    placement = result.placement()
    fits = placement is not None and _fits(search.problem, placement)
    if fits or search.options.admission == "all":
        # With "most" the bound is one for all reachable requests, if they can be served together.
        search.raise_bound(result.bound_s())
    if placement is not None and fits:
        search.offer(placement)
    if fits and search.closed and result.reachable:
        search.note(SLACK)
    if placement is not None and not fits:
        search.note(BINDING)
    if result.fleet.problem is not search.problem:
        search.note(MANY_KINDS)
    return result


def _fits(problem: Problem, placement: Placement) -> bool:
    return within_budgets(problem, evaluate(problem, placement))
