"""Build the CP-SAT model, hand it a start, and read placements from its solutions."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from ortools.sat.python.cp_model import (
    CpModel,
    CpSolver,
    CpSolverSolutionCallback,
    CpSolverStatus,
    IntVar,
)

from optmodel.cpsat.constraints import add_constraints
from optmodel.cpsat.cpsat_ticks import CpsatTicks
from optmodel.cpsat.variables import CpsatVariables, add_variables
from optmodel.milp import groups
from optmodel.placement import Admission, Placement, RequestPlacement, evaluate
from optmodel.problem import Problem


@dataclass(frozen=True)
class CpsatModel:
    """The model of Eq. 5-8 in whole numbers, a relaxation by less than `ticks.lost_s`.

    Within the horizon of its ticks, that is: placements that take longer are left out.

    With admission "all" every layer must have a host. Whoever solves it adds an objective.
    """

    problem: Problem
    ticks: CpsatTicks
    model: CpModel
    variables: CpsatVariables

    @classmethod
    def build(
        cls, problem: Problem, ticks: CpsatTicks, admission: Admission = "all"
    ) -> "CpsatModel":
        """Add variables and constraints."""
        model = CpModel()
        variables = add_variables(model, problem, ticks, admission)
        add_constraints(model, variables, problem, ticks)
        return cls(problem, ticks, model, variables)

    def placement(self, value: Callable[[IntVar], int]) -> Placement:
        """Return the placement of the served requests, given the value of each variable."""
        return Placement(
            {
                task.request.id: self._request(r, value)
                for r, task in enumerate(self.problem.tasks)
                if value(self.variables.served[r])
            }
        )

    def _request(self, r: int, value: Callable[[IntVar], int]) -> RequestPlacement:
        v = self.variables
        return RequestPlacement.read(
            self.problem.tasks[r],
            len(self.problem.node_ids),
            lambda k, i: value(v.x[r, k, i]),
            lambda k, i, j: value(v.moved[r, k, i, j]),
        )

    def solve(
        self, solver: CpSolver, callback: CpSolverSolutionCallback | None = None
    ) -> CpSolverStatus:
        """Solve the model, from its hint if it has one.

        The presolve of CP-SAT 9.15 fails with an IndexError where symmetry moves a hinted value
        out of its domain. A hint is only a place to start from, and is given up then.

        Raises
        ------
        IndexError
            If CP-SAT fails without a hint too.
        """
        try:
            return solver.solve(self.model, callback)
        except IndexError:
            if not self.model.proto.solution_hint.vars:
                raise
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        return solver.solve(self.model, callback)

    def hint(self, placement: Placement) -> None:
        """Start the search from a placement: every variable gets its value."""
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        latency = evaluate(self.problem, placement).layer_latency_s
        for r, task in enumerate(self.problem.tasks):
            placed = placement.requests.get(task.request.id)
            self.model.add_hint(self.variables.served[r], int(placed is not None))
            if placed is not None:
                self._hint_request(r, placed, latency[task.request.id].tolist())
            else:
                self._hint_nothing(r)

    def _hint_request(self, r: int, placed: RequestPlacement, latency_s: list[float]) -> None:
        v, layers, nodes = self.variables, self.problem.tasks[r].layers, len(self.problem.node_ids)
        for k, layer in enumerate(layers):
            # Up, as durations are rounded down: then every row of Eq. 5 holds.
            ticks = ceil(latency_s[k] / self.ticks.length_s)
            # Rounding up may leave the domain, and a hint must lie in it.
            self.model.add_hint(v.T[r, k], min(ticks, self.ticks.latest(r, k)))
            flows = placed.flows.matrix(k, nodes)
            following = layers[k + 1].hosts if k + 1 < len(layers) else ()
            for i in layer.hosts:
                count = int(placed.counts[k, i])
                self.model.add_hint(v.x[r, k, i], count)
                if layer.whole:
                    self.model.add_hint(v.whole[r, k, i], int(count > 0))
                if (r, k, i) in v.sender:
                    others = layers[k + 1].segments - int(placed.counts[k + 1, i])
                    self.model.add_hint(v.sender[r, k, i], int(count > 0))
                    self.model.add_hint(v.copies[r, k, i], others if count else 0)
                for j in following if layer.transfer == "mapwise" else ():
                    self.model.add_hint(v.moved[r, k, i, j], int(flows[i, j]))

        for g in (g for g in groups(self.problem) if g.r == r):
            most = int(placed.counts[g.k, list(g.nodes)].max())
            self.model.add_hint(v.largest[g.r, g.k, g.number], most)

    def _hint_nothing(self, r: int) -> None:
        v = self.variables
        for group in (v.x, v.sender, v.copies, v.moved, v.whole, v.largest, v.T):
            for index, variable in group.items():
                if index[0] == r:
                    self.model.add_hint(variable, 0)
