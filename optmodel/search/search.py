"""One run of an exact method: its deadline, incumbent, bound and trace."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from optmodel.placement import Evaluation, Placement, TracePoint, evaluate
from optmodel.problem import Instance, Problem
from optmodel.search.agreement import BOUND_TOLERANCE, contradiction, settled_bound
from optmodel.search.allowance import Allowance
from optmodel.search.options import SolverOptions

START = "the default heuristic"
"""Who speaks before any engine does."""


@dataclass(frozen=True)
class ProvenClaims:
    """What engines claim of all placements, and whose word each claim is."""

    most_served: int
    """Upper bound on the number of requests that can be served together."""
    infeasible: bool = False
    """Whether not all requests can be served. With admission "most" it stays False, as serving none
    is a placement too."""
    bound_s: float | None = None
    """Lower bound on the latency of every placement that serves as many requests as can be served
    (all of them, or `most_served`); None when unknown."""
    most_served_by: str = START
    infeasible_by: str = START
    bound_by: str = START
    """The engines."""

    def same_verdict(self, other: "ProvenClaims") -> bool:
        """Tell whether both say the same of what cannot be served."""
        verdict = (self.most_served, self.infeasible)
        return verdict == (other.most_served, other.infeasible)


class Search:
    """What is known of a problem while methods work on it.

    Several methods may work on one search in turn: each offers placements and raises the bound,
    and all see what the others have found.

    Attributes
    ----------
    problem : Problem
        The instance as arrays.
    incumbent : Placement or None
        The best placement offered so far.
    objective_s : float or None
        Its latency, in seconds (Eq. 5).
    incumbent_by : str
        The engine that offered it.
    claims : ProvenClaims
        What is proven of all placements.
    refused : int
        How many placements were offered that break a budget.
    trace : list of TracePoint
        Every improvement of incumbent or bound, with its time.
    notes : list of str
        What a user should know about how the result was found.
    speaker : str
        Which engine works now: what is offered, raised or proven is its word.
    solver, solver_version : str or None
        The last solver that a method used; None if none was needed.
    phases_s : dict of str to float
        Seconds of each phase of the run.
    """

    def __init__(self, instance: Instance, options: SolverOptions) -> None:
        self._start = time.perf_counter()
        self.phases_s: dict[str, float] = {}
        self.options = options
        with self.phase("build"):
            self.problem = Problem.of(instance)
        self.incumbent: Placement | None = None
        self.objective_s: float | None = None
        self.claims = ProvenClaims(len(self.problem.tasks))
        self.refused = 0
        self.speaker = self.incumbent_by = START
        self.trace: list[TracePoint] = []
        self.notes: list[str] = []
        self.solver: str | None = None
        self.solver_version: str | None = None

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    @contextmanager
    def speaking(self, engine: str) -> Iterator[None]:
        """Let an engine have the word."""
        before, self.speaker = self.speaker, engine
        try:
            yield
        finally:
            self.speaker = before

    @property
    def most_served(self) -> int:
        """Proven upper bound on the number of requests that can be served together."""
        return self.claims.most_served

    @most_served.setter
    def most_served(self, number: int) -> None:
        self.claims = replace(self.claims, most_served=number, most_served_by=self.speaker)

    @property
    def infeasible(self) -> bool:
        """Whether it is proven that not all requests can be served."""
        return self.claims.infeasible

    @infeasible.setter
    def infeasible(self, proven: bool) -> None:
        self.claims = replace(self.claims, infeasible=proven, infeasible_by=self.speaker)

    @property
    def bound_s(self) -> float | None:
        """Proven lower bound on the latency, in seconds; None when unknown."""
        return self.claims.bound_s

    @property
    def elapsed_s(self) -> float:
        """Wall time since the search began, in seconds."""
        return time.perf_counter() - self._start

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside to a phase, and not to the phase around it."""
        start, elsewhere = time.perf_counter(), sum(self.phases_s.values())
        try:
            yield
        finally:
            inside = sum(self.phases_s.values()) - elsewhere
            spent = time.perf_counter() - start - inside
            self.phases_s[name] = self.phases_s.get(name, 0.0) + spent

    @property
    def left_s(self) -> float:
        """Wall time that is left, in seconds; infinite without a limit."""
        limit = self.options.time_limit_s
        return math.inf if limit is None else limit - self.elapsed_s

    def allowance(self, share: float = 1.0) -> Allowance:
        """Return what a share of the time that is left allows; without a limit, everything."""
        return Allowance.of_seconds(share * self.left_s)

    @property
    def served(self) -> int:
        """Number of requests that the incumbent serves."""
        return len(self.incumbent.requests) if self.incumbent is not None else 0

    @property
    def closed(self) -> bool:
        """Whether the incumbent is within the asked gap of the bound, or there is none to find."""
        if self.infeasible:
            return True
        if self.objective_s is None or self.bound_s is None or self.served < self.most_served:
            return False
        asked = self.options.mip_gap + BOUND_TOLERANCE
        return self.objective_s - self.bound_s <= asked * self.objective_s

    def offer(self, placement: Placement) -> bool:
        """Keep a placement if it is better than the incumbent.

        Better is to serve more requests, then to take less time. With admission "all" a placement
        that leaves a request out is not kept, nor one that breaks a budget, counted in whole
        numbers. That it breaks no other condition is the offering method's promise; the checker
        verifies the final incumbent.
        """
        everyone = len(placement.requests) == len(self.problem.tasks)
        if self.options.admission == "all" and not everyone:
            return False
        evaluation = evaluate(self.problem, placement)
        if not within_budgets(self.problem, evaluation):
            self.refused += 1
            return False
        latency = evaluation.latency_s
        known = math.inf if self.objective_s is None else self.objective_s
        if (-len(placement.requests), latency) >= (-self.served, known):
            return False
        self.incumbent, self.objective_s = placement, latency
        self.incumbent_by = self.speaker
        self._record()
        return True

    def raise_bound(self, bound_s: float) -> bool:
        """Keep a lower bound if it is better than the one known."""
        if self.bound_s is not None and bound_s <= self.bound_s:
            return False
        self.claims = replace(self.claims, bound_s=max(bound_s, 0.0), bound_by=self.speaker)
        self._record()
        return True

    def take_back(self, before: ProvenClaims) -> None:
        """Believe what was claimed before, and nothing of what engines have claimed since."""
        self.claims = before
        self.trace = [
            point.model_copy(update={"bound_s": _lesser(point.bound_s, before.bound_s)})
            for point in self.trace
        ]

    def refuse_contradictions(self) -> None:
        """Hold the incumbent against what is claimed cannot be served.

        Raises
        ------
        ResultError
            If it serves more; it names who claims and who placed.
        """
        claims, most, requests = self.claims, self.most_served, len(self.problem.tasks)
        if self.incumbent is not None and claims.infeasible:
            what = "not all requests can" if most == requests else f"{most} requests cannot"
            claim = f"that {what} be served"
            raise contradiction(claims.infeasible_by, claim, self.incumbent_by, "serves them")
        if self.served > most:
            claim, does = f"that at most {most} requests can be served", f"serves {self.served}"
            raise contradiction(claims.most_served_by, claim, self.incumbent_by, does)

    def agreed_bound(self, objective_s: float | None) -> float | None:
        """Return the bound for the exact latency of the incumbent, once no two engines disagree.

        Raises
        ------
        ResultError
            If what one engine claims to have proven contradicts what another one has placed; it
            names both.
        """
        self.refuse_contradictions()
        prover, placer = self.claims.bound_by, self.incumbent_by
        claim = f"{prover} claims the bound {{bound}} s, but the placement found by {placer}"
        return settled_bound(objective_s, self.bound_s, claim)

    def _record(self) -> None:
        point = TracePoint(
            time_s=self.elapsed_s, incumbent_s=self.objective_s, bound_s=self.bound_s
        )
        self.trace.append(point)


def _lesser(bound_s: float | None, other_s: float | None) -> float | None:
    """Return the lesser of two bounds, None if one of them is unknown."""
    return None if bound_s is None or other_s is None else min(bound_s, other_s)


def within_budgets(problem: Problem, evaluation: Evaluation) -> bool:
    """Tell whether a placement keeps 8b-8d; loads are whole, so budgets count in whole units."""
    return bool((evaluation.load <= problem.whole_budgets).all())
