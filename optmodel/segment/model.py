"""Build the segment formulation and read placements from its solutions."""

from dataclasses import dataclass

import numpy as np
import pyomo.environ as pyo

from optmodel.count.objective import add_objective
from optmodel.placement import Placement, RequestPlacement
from optmodel.problem import Problem
from optmodel.segment.constraints import add_constraints
from optmodel.segment.variables import add_variables


@dataclass(frozen=True)
class SegmentModel:
    """The exact model of Eq. 5-8 for one problem.

    Attributes
    ----------
    problem : Problem
        What is placed; every layer must have a host.
    pyomo_model : pyomo.environ.ConcreteModel
        The MILP.
    """

    problem: Problem
    pyomo_model: pyo.ConcreteModel

    @classmethod
    def build(cls, problem: Problem) -> "SegmentModel":
        """Build variables, constraints and objective."""
        model = pyo.ConcreteModel(name=problem.instance.name)
        add_variables(model, problem)
        add_constraints(model, problem)
        add_objective(model)
        return cls(problem, model)

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
