"""Build the segment formulation and read placements from its solutions."""

import numpy as np
import pyomo.environ as pyo

from optmodel.count.objective import add_objective
from optmodel.formulation import Formulation
from optmodel.placement import Placement, RequestPlacement
from optmodel.problem import Problem
from optmodel.segment.constraints import add_constraints
from optmodel.segment.variables import add_variables


class SegmentModel(Formulation):
    """The exact model of Eq. 5-8 segment by segment."""

    @staticmethod
    def state(model: pyo.ConcreteModel, problem: Problem) -> None:
        """Add variables, constraints and objective."""
        add_variables(model, problem)
        add_constraints(model, problem)
        add_objective(model)

    def placement(self) -> Placement:
        """Return the placement whose values the Pyomo model holds."""
        nodes = len(self.problem.node_ids)
        found = {}
        for r, task in enumerate(self.problem.tasks):
            labels = [
                np.array([self._node_of(r, k, p) for p in range(layer.segments)])
                for k, layer in enumerate(task.layers)
            ]
            mapwise = [layer.transfer == "mapwise" for layer in task.layers]
            found[task.request.id] = RequestPlacement.from_labels(labels, mapwise, nodes)
        return Placement(found)

    def _node_of(self, r: int, k: int, p: int) -> int:
        hosts = self.problem.tasks[r].layers[k].hosts
        return max(hosts, key=lambda i: pyo.value(self.pyomo_model.A[r, k, p, i]))
