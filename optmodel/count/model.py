"""Build the count formulation and read placements from its solutions."""

from dataclasses import dataclass

import numpy as np
import pyomo.environ as pyo

from optmodel.count.constraints import add_constraints
from optmodel.count.objective import add_objective
from optmodel.count.variables import add_variables
from optmodel.placement import Flows, Placement, RequestPlacement
from optmodel.problem import Problem


@dataclass(frozen=True)
class CountModel:
    """The exact model of Eq. 5-8 in counts and flows for one problem.

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
    def build(cls, problem: Problem) -> "CountModel":
        """Build variables, constraints and objective."""
        model = pyo.ConcreteModel(name=problem.instance.name)
        add_variables(model, problem)
        add_constraints(model, problem)
        add_objective(model)
        return cls(problem, model)

    def placement(self) -> Placement:
        """Return the placement whose values the Pyomo model holds."""
        return Placement(
            {task.request.id: self._request(r) for r, task in enumerate(self.problem.tasks)}
        )

    def _request(self, r: int) -> RequestPlacement:
        layers = self.problem.tasks[r].layers
        counts = np.zeros((len(layers), len(self.problem.node_ids)), dtype=np.int64)
        for k, layer in enumerate(layers):
            for i in layer.hosts:
                counts[k, i] = round(pyo.value(self.pyomo_model.x[r, k, i]))
        entries = [
            (k, i, j, round(pyo.value(self.pyomo_model.sent[r, k, i, j])))
            for k, layer in enumerate(layers[:-1])
            if layer.transfer == "mapwise"
            for i in layer.hosts
            for j in layers[k + 1].hosts
        ]
        return RequestPlacement(counts, Flows.from_entries([e for e in entries if e[3]]))
