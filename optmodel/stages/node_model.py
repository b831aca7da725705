"""An arc node by node as a CP-SAT model: maps between any two nodes, as Eq. 5 has them."""

from itertools import pairwise

import numpy as np
from ortools.sat.python import cp_model

from optmodel.stages.arc import Arc, ArcPlacement
from optmodel.stages.relaxation import room

MOST_COEFFICIENT = 2**30
"""Largest duration that a CP-SAT model counts in: there are open reports of wrong proofs with
coefficients beyond 2^31."""

FEW_VARIABLES = 400
"""Models with fewer are decided sooner than they are simplified."""


class Undecided(Exception):  # noqa: N818 - an outcome, not a fault
    """The time limit ended a decision."""


def feasible(model: cp_model.CpModel, time_limit_s: float) -> cp_model.CpSolver | None:
    """Run CP-SAT on a question of feasibility; None if the answer is no.

    Raises
    ------
    Undecided
        If the time limit came first.
    """
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False  # Ctrl-C is Python's, also afterwards.
    solver.parameters.max_time_in_seconds = max(time_limit_s, 0.01)
    if len(model.proto.variables) < FEW_VARIABLES:
        solver.parameters.cp_model_presolve = False
        solver.parameters.cp_model_probing_level = 0
        solver.parameters.symmetry_level = 0
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise Undecided
    return solver


class NodeModel:
    """Counts and flows of an arc on single nodes, under a limit on the latency of each layer.

    Durations are counted in coarser ticks, rounded down, so that a no holds; a placement may take
    longer than the limits by the rounding, a billionth or so, which its own ticks tell. The coarse
    ticks fit the limits: nodes too slow for a single map, however slow, do not make them coarser.

    Parameters
    ----------
    arc : Arc
        With two or more layers.
    limits : tuple of int
        Largest latency of each layer, in ticks.
    """

    def __init__(self, arc: Arc, limits: tuple[int, ...]) -> None:
        self.arc, self.group, self.model = arc, arc.group_of.tolist(), cp_model.CpModel()
        self.scale = max(-(-max(limits) // MOST_COEFFICIENT), 1)
        self.flows: list[list[list[cp_model.IntVar]]] = []
        counts = [self._fitting(limits[0], arc.receive[g], arc.caps[0][g]) for g in self.group]
        self.model.add(sum(counts) == arc.maps)
        for k in range(len(arc.send)):
            counts = self._transport(k, counts, limits[k + 1])
        for j, (g, h) in enumerate(pairwise(self.group)):
            if g == h:
                self.model.add(counts[j] >= counts[j + 1])

    def _number(self, most: int) -> cp_model.IntVar:
        return self.model.new_int_var(0, most, "")

    def _fitting(self, limit: int, ticks: int, most: int) -> cp_model.IntVar:
        """Return a number of maps that fit under a limit, at `ticks` each."""
        return self._number(int(room(limit, np.array(ticks), np.array(most))))

    def _transport(self, k: int, held: list[cp_model.IntVar], limit: int) -> list[cp_model.IntVar]:
        """Hand on every map after layer k in time (Eq. 5); return what each node then has."""
        arc, caps = self.arc, self.arc.caps[k + 1]
        nodes = range(len(self.group))
        work = arc.work if k + 1 == len(arc.send) else (0,) * len(caps)
        counts = [self._fitting(limit, work[g], caps[g]) for g in self.group]
        moved = []
        for i, g in enumerate(self.group):
            most, send = arc.caps[k][g], arc.send[k][g]
            row = [
                self._number(most) if i == j else self._fitting(limit, send, most) for j in nodes
            ]
            self.model.add(sum(row) == held[i])
            moved.append(row)
        for j, h in enumerate(self.group):
            self.model.add(sum(row[j] for row in moved) == counts[j])
            computing = self._coarse(work[h], limit) * counts[j]
            for i, g in enumerate(self.group):
                if i != j:
                    arrival = self._coarse(arc.send[k][g], limit) * moved[i][j]
                    self.model.add(arrival + computing <= limit // self.scale)
        self.flows.append(moved)
        return counts

    def _coarse(self, ticks: int, limit: int) -> int:
        """Return a duration in coarse ticks; one beyond the limit belongs to no map."""
        return min(ticks, limit) // self.scale

    def decide(self, time_limit_s: float) -> ArcPlacement | None:
        """Return a placement within the limits, None if there is none.

        Raises
        ------
        Undecided
            If the time limit came first.
        """
        solver = feasible(self.model, time_limit_s)
        return None if solver is None else self._placement(solver)

    def _placement(self, solver: cp_model.CpSolver) -> ArcPlacement:
        flows = [
            np.array([[solver.value(y) for y in row] for row in moved], dtype=np.int64)
            for moved in self.flows
        ]
        counts = [flows[0].sum(axis=1), *(moved.sum(axis=0) for moved in flows)]
        return ArcPlacement(np.stack(counts), tuple(flows))
