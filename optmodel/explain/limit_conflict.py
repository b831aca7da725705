"""A smallest set of groups that cannot all be kept.

A conflict is a set of groups without a placement that keeps to all of them. Dropping its groups one
by one (a deletion filter) makes it irreducible: each group is needed. The smallest conflict is
found from the other side. If some placement breaks only the groups of a set D, every conflict has a
group in D. So no conflict has fewer groups than a smallest set H that meets all the D known, and
if H is itself a conflict, it is a smallest one; if not, a placement that keeps to H gives a new D.
(J. Davies and F. Bacchus, "Solving MAXSAT by solving a sequence of simpler SAT instances", 2011,
and A. Ignatiev et al., "Smallest MUS extraction with minimal hitting set dualization", 2015.)
"""

from collections.abc import Collection, Sequence
from enum import StrEnum

import pyomo.environ as pyo

from optmodel.explain.limit_groups import LimitGroup, broken_by, groups_of, lift
from optmodel.ground.json_files import StrictModel
from optmodel.milp import BOTH, FeasibilityVerdict, find_placement, run_within
from optmodel.placement import SolutionStatus
from optmodel.problem import Problem
from optmodel.search import Allowance, contradiction

Groups = frozenset[LimitGroup]


class ConflictProof(StrEnum):
    """What is proven of a conflict, beyond that its groups cannot all be kept."""

    SMALLEST = "smallest"
    """No conflict has fewer groups."""
    IRREDUCIBLE = "irreducible"
    """Each of its groups is needed; another conflict may have fewer."""
    UNREDUCED = "unreduced"
    """Nothing: the time limit came first."""


class LimitConflict(StrictModel):
    """Groups of limits that cannot all be kept."""

    groups: tuple[LimitGroup, ...]
    """The groups, in the order of the instance."""
    proof: ConflictProof
    """Whether there can be a smaller one."""


class _Limits:
    """The groups of one infeasible problem, and what is known of keeping to some of them."""

    def __init__(
        self, problem: Problem, groups: Sequence[LimitGroup], allowance: Allowance
    ) -> None:
        self.problem = problem
        self.every = frozenset(groups)
        self.allowance = allowance
        self.corrections: list[Groups] = [self.every]
        """Sets D such that some placement breaks no group but those of D."""
        self.conflicts: list[Groups] = []

    def can_keep(self, kept: Collection[LimitGroup]) -> bool | None:
        """Tell whether a placement keeps to all of some groups; None if time ends first.

        Raises
        ------
        ResultError
            If the placement keeps to a set of groups that cannot be kept.
        """
        dropped = self.every.difference(kept)
        if any(correction <= dropped for correction in self.corrections):
            return True
        if any(conflict.issubset(kept) for conflict in self.conflicts):
            return False
        answer = find_placement(lift(self.problem, dropped), self.allowance)
        if answer.placement is not None:
            self._correct(broken_by(self.problem, answer.placement, self.every), answer.placed_by)
        elif answer.verdict is FeasibilityVerdict.INFEASIBLE:
            self.conflicts.append(frozenset(kept))
        return (
            None if answer.verdict is FeasibilityVerdict.UNKNOWN else answer.placement is not None
        )

    def _correct(self, broken: Groups, placed_by: str) -> None:
        """Learn that a placement breaks no group but those, if that can be."""
        for conflict in self.conflicts:
            if conflict.isdisjoint(broken):
                claim = f"that no placement keeps to {len(conflict)} groups of limits"
                raise contradiction(BOTH, claim, placed_by, "keeps to them")
        self.corrections.append(broken)

    def shrink_last_correction(self) -> None:
        """Look for placements that break fewer groups, until one less is not possible."""
        for group in sorted(self.corrections[-1], key=lambda g: g.sentence):
            smaller = self.corrections[-1] - {group}
            if group in self.corrections[-1]:
                self.can_keep(self.every - smaller)


def find_conflicts(problem: Problem, allowance: Allowance) -> tuple[LimitConflict, ...]:
    """Return conflicts of an infeasible problem that have no group in common.

    The first is a smallest one; each further one is what stands in the way even without the groups
    of those before it. A single change helps only if it touches all of them.
    """
    found: list[LimitConflict] = []
    groups = groups_of(problem)
    while groups:
        conflict = find_conflict(problem, groups, allowance)
        found.append(conflict)
        groups = tuple(group for group in groups if group not in conflict.groups)
        problem = lift(problem, conflict.groups)
        if find_placement(problem, allowance).verdict is not FeasibilityVerdict.INFEASIBLE:
            break
    return tuple(found)


def find_conflict(
    problem: Problem, groups: Sequence[LimitGroup], allowance: Allowance
) -> LimitConflict:
    """Return a conflict of an infeasible problem, the smallest if time allows."""
    limits = _Limits(problem, groups, allowance)
    limits.conflicts.append(limits.every)
    core, proof = _irreducible(limits, groups)
    if proof is ConflictProof.IRREDUCIBLE:
        core, proof = _smallest(limits, core)
    return LimitConflict(groups=tuple(g for g in groups if g in core), proof=proof)


def _irreducible(limits: _Limits, groups: Sequence[LimitGroup]) -> tuple[Groups, ConflictProof]:
    """Drop groups that are not needed, one after another."""
    core, proof = limits.every, ConflictProof.IRREDUCIBLE
    for group in groups:
        kept = limits.can_keep(core - {group})
        if kept is False:
            core -= {group}
        elif kept is None:
            proof = ConflictProof.UNREDUCED
    return core, proof


def _smallest(limits: _Limits, core: Groups) -> tuple[Groups, ConflictProof]:
    """Raise the least number of groups that a conflict needs until it meets a conflict."""
    while True:
        least = smallest_hitting_set(limits.corrections, limits.allowance)
        if least is None:
            return core, ConflictProof.IRREDUCIBLE
        if len(least) == len(core):
            return core, ConflictProof.SMALLEST
        kept = limits.can_keep(least)
        if kept is None:
            return core, ConflictProof.IRREDUCIBLE
        if not kept:
            return least, ConflictProof.SMALLEST
        limits.shrink_last_correction()


def smallest_hitting_set(sets: Sequence[Groups], allowance: Allowance) -> Groups | None:
    """Return a smallest set with a group in each of the sets; None if time ends first."""
    items = sorted(frozenset().union(*sets), key=lambda group: group.sentence)
    model = pyo.ConcreteModel()
    model.taken = pyo.Var(range(len(items)), domain=pyo.Binary)
    model.meet_every_set = pyo.Constraint(
        range(len(sets)),
        rule=lambda m, s: (
            pyo.quicksum(m.taken[n] for n, item in enumerate(items) if item in sets[s]) >= 1
        ),
    )
    model.number = pyo.Objective(expr=pyo.quicksum(model.taken.values()))
    run = run_within(model, allowance)
    if run is None or run.status is not SolutionStatus.OPTIMAL:
        return None
    return frozenset(item for n, item in enumerate(items) if pyo.value(model.taken[n]) > 0.5)
