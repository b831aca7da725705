"""Build the segment formulation, give it a start, and read placements from its solutions."""

import numpy as np
import pyomo.environ as pyo

from optmodel.milp.count.model import set_counts
from optmodel.milp.count.objective import minimise_latency
from optmodel.milp.formulation import Formulation
from optmodel.milp.segment.constraints import add_constraints
from optmodel.milp.segment.variables import add_variables
from optmodel.placement import Placement, RequestPlacement
from optmodel.problem import Problem


class SegmentModel(Formulation):
    """The exact model of Eq. 5-8 segment by segment."""

    @staticmethod
    def state(model: pyo.ConcreteModel, problem: Problem) -> None:
        """Add variables, constraints and objective."""
        add_variables(model, problem)
        add_constraints(model, problem)
        minimise_latency(model)

    def set_values(self, placement: Placement) -> None:
        """Give every variable the value that it has in a placement."""
        model, problem = self.pyomo_model, self.problem
        set_counts(model, problem, placement)
        labels = {
            r: placement.requests[task.request.id].labels()
            for r, task in enumerate(problem.tasks)
            if task.request.id in placement.requests
        }
        for (r, k, p, i), assigned in model.A.items():
            if r in labels:
                assigned.set_value(int(labels[r][k][p] == i))
        for (r, k, p, i, j), move in model.move.items():
            if r in labels:
                move.set_value(int(labels[r][k][p] == i and labels[r][k + 1][p] == j))

    def read_request(self, r: int) -> RequestPlacement:
        """Return the placement of request `r`, which is served, whose values the MILP holds."""
        layers = self.problem.tasks[r].layers
        labels = [
            np.array([self._node_of(r, k, p) for p in range(layer.segments)])
            for k, layer in enumerate(layers)
        ]
        mapwise = [layer.transfer == "mapwise" for layer in layers]
        return RequestPlacement.from_labels(labels, mapwise, len(self.problem.node_ids))

    def _node_of(self, r: int, k: int, p: int) -> int:
        hosts = self.problem.tasks[r].layers[k].hosts
        # Not exactly 1 in floats, but the largest of them.
        return max(hosts, key=lambda i: pyo.value(self.pyomo_model.A[r, k, p, i]))
