"""Best paths over stages of single requests, kept per network, tolerance, source and fleet."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optmodel.batch import PlannedPlacer, StagePlacer
from optmodel.online.recent_memory import RecentMemory
from optmodel.placement import RequestClass, RequestPlacement, alone, evaluate_request
from optmodel.problem import (
    FEW_KINDS,
    MOST_GROUPS,
    BudgetLedger,
    Fleet,
    FloatArray,
    IntArray,
    Problem,
    RequestTask,
    with_fewer_kinds,
)
from optmodel.search import Allowance
from optmodel.stages import UNREACHABLE, ArcBook, PathAssembler, StageGraph, StagePath

TOLERANCE = 1e-4
"""Relative gap to which paths are solved: online, the last digits are not worth their time."""
DECISION_TIME_S = 1.0
"""What the first decision on a kind of request may take, in seconds: what is not proven by then is
left open, and what is found is used."""
STEPS_PER_S = 4_000
"""Counted steps that stand for a second. One core of the machine of record takes 3,900 to 9,000 in
a second of CPU time: fewest on 12 to 14 devices that all differ, where arcs are hardest."""
PATH_SHARE = 0.3
"""Share of a time limit for one path, so that there is time left to construct placements."""
MOST_FLEETS = 4
"""How many fleets are remembered; what is known of a thousand devices takes tens of megabytes."""
MOST_KINDS = 256
"""How many kinds of requests are remembered of each fleet."""


@dataclass(frozen=True, eq=False)
class KnownPath:
    """What the stages say of requests of one kind on a fleet whose budgets are full."""

    requests: RequestClass
    """The request alone, and the groups of the fleet."""
    path: StagePath
    """The best path; without steps if the request has none, or if only its bound is known."""
    bound_s: float | None
    """Lower bound on the latency in seconds, rounded down; None if there is no placement. It holds
    on any fleet with budgets as large or smaller."""
    steps_left: float
    """Counted steps of the decision that are left for a plan of who sends."""

    @cached_property
    def kind(self) -> object:
        """What is the same for fleets of the same kinds of devices, however many of each."""
        problem, task = self.requests.problem, self.requests.task
        # Members of a group are equal: the first stands for all.
        firsts = [group.nodes[0] for group in self.requests.fleet.groups]
        data = problem.node_data[:, firsts].tobytes()
        return data, task.request.network, task.request.tolerated_ssim

    @cached_property
    def planned(self) -> RequestPlacement | None:
        """The fastest placement by a plan of who sends, where the path breaks a full budget.

        None where it does not, or if no plan keeps the budgets.
        """
        problem, task = self.requests.problem, self.requests.task
        room = BudgetLedger.of(problem)
        if self.path.value is None:
            return None
        on_path = PathAssembler(self.requests.fleet).place(task, self.path)
        if room.has_room(evaluate_request(problem, task, on_path).load):
            return None  # What the budgets allow needs no plan.
        allowance = Allowance(self.steps_left)
        planner = PlannedPlacer(self.requests, StagePlacer(self.requests, ArcBook(TOLERANCE)), 1)
        best, least_s = None, np.inf
        for plan in planner.plans():
            placed = planner.place(room.left.astype(float), plan, allowance)
            costs = evaluate_request(problem, task, placed) if placed is not None else None
            if costs is not None and room.has_room(costs.load) and costs.latency_s < least_s:
                best, least_s = placed, costs.latency_s
        return best

    @cached_property
    def group_of(self) -> IntArray:
        """Group of equal devices that each device belongs to, shape (helpers,)."""
        helpers = self.requests.fleet.groups[:-1]
        found = np.empty(self.requests.problem.helpers, dtype=np.int64)
        for number, group in enumerate(helpers):
            found[list(group.nodes)] = number
        return found

    @cached_property
    def starts(self) -> IntArray:
        """Place of the first of each group, and of the source, if nodes are sorted by group."""
        sizes = [len(group.nodes) for group in self.requests.fleet.groups[:-1]]
        return np.cumsum([0, *sizes])

    def share_of(self, load: IntArray, devices: IntArray) -> FloatArray:
        """Return the largest share of any budget that each load of shape (3, devices) takes."""
        budgets = self.requests.problem.whole_budgets[:, devices]
        shares: FloatArray = (load / np.maximum(budgets, 1)).max(axis=0)
        return shares


class KnownPaths:
    """Solves each kind of request once per fleet.

    Arcs are shared between all of them: equal stages of other networks, tolerances and fleets are
    not solved again. Memory stays flat where fleets change: the fleets asked for longest ago are
    forgotten, and arcs after as many fleets.

    Parameters
    ----------
    most_fleets : int
        How many fleets are remembered.
    shares_arcs : bool
        Whether kinds of requests share arcs. If not, what is found of a kind is the same whatever
        was asked for before: for runs that must not depend on those before them.
    allowance : Allowance, optional
        What all of them may take together.
    decision_time_s : float
        What each kind of request may take, in seconds of `STEPS_PER_S` counted steps.
    """

    def __init__(
        self,
        most_fleets: int = MOST_FLEETS,
        *,
        shares_arcs: bool = True,
        allowance: Allowance | None = None,
        decision_time_s: float = DECISION_TIME_S,
    ) -> None:
        self._shares_arcs, self._steps = shares_arcs, decision_time_s * STEPS_PER_S
        self._allowance = allowance or Allowance()
        self._book = ArcBook(TOLERANCE)
        self._in_book = 0
        self._fleets: RecentMemory[bytes, RecentMemory[object, KnownPath]]
        self._fleets = RecentMemory(most_fleets)

    def find(self, problem: Problem, task: RequestTask) -> KnownPath:
        """Return what the stages say of a request on the fleet of a problem."""
        kinds = self._of_fleet(problem.node_data[:, : problem.helpers].tobytes())
        key = problem.kind_of(task)
        known = kinds.find(key)
        if known is None:
            known = self._solve(problem, task)
            kinds.keep(key, known)
        return known

    def _of_fleet(self, fleet: bytes) -> RecentMemory[object, KnownPath]:
        """Return what is known of a fleet; after as many fleets as are remembered, forget arcs."""
        kinds = self._fleets.find(fleet)
        if kinds is None:
            kinds = RecentMemory(MOST_KINDS)
            self._fleets.keep(fleet, kinds)
            # Arcs have no fleet to be forgotten with: the book is begun anew instead.
            self._in_book += 1
            if self._in_book > self._fleets.most:
                self._book, self._in_book = ArcBook(TOLERANCE), 1
        return kinds

    def _solve(self, problem: Problem, task: RequestTask) -> KnownPath:
        requests = RequestClass(alone(problem, task), (task,))
        book = self._book if self._shares_arcs else ArcBook(TOLERANCE)
        # One group is the source's own.
        seen = with_fewer_kinds(requests.problem, MOST_GROUPS - 1, FEW_KINDS)
        few = seen is requests.problem
        fleet = requests.fleet if few else Fleet(seen)
        allowance = self._allowance.part(self._steps, PATH_SHARE)
        path = StageGraph(fleet, seen.tasks[0], book).shortest(allowance)
        bound_s = None if path.bound >= UNREACHABLE else fleet.seconds(path.bound)
        # Nodes of a fleet of fewer kinds are no nodes of this one: its bound holds, its path not.
        path = path if few else StagePath(0, (), None)
        return KnownPath(requests, path, bound_s, allowance.steps)
