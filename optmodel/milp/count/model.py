"""Build the count formulation, give it a start, and read placements from its solutions."""

import numpy as np
import pyomo.environ as pyo

from optmodel.milp.budget_rows import set_carries
from optmodel.milp.count.constraints import add_constraints
from optmodel.milp.count.objective import minimise_latency
from optmodel.milp.count.strengthening import set_largest, strengthen
from optmodel.milp.count.variables import add_variables
from optmodel.milp.formulation import Formulation
from optmodel.placement import Placement, RequestPlacement, evaluate
from optmodel.problem import Problem


class CountModel(Formulation):
    """The exact model of Eq. 5-8 in counts and flows."""

    @staticmethod
    def state(model: pyo.ConcreteModel, problem: Problem) -> None:
        """Add variables, constraints and objective."""
        add_variables(model, problem)
        add_constraints(model, problem)
        strengthen(model, problem)
        minimise_latency(model)

    def set_values(self, placement: Placement) -> None:
        """Give every variable the value that it has in a placement."""
        set_counts(self.pyomo_model, self.problem, placement)
        set_largest(self.pyomo_model, self.problem)

    def read_request(self, r: int) -> RequestPlacement:
        """Return the placement of request `r`, which is served, whose values the MILP holds."""
        model = self.pyomo_model
        return RequestPlacement.read(
            self.problem.tasks[r],
            len(self.problem.node_ids),
            lambda k, i: round(pyo.value(model.x[r, k, i])),
            lambda k, i, j: round(pyo.value(model.sent[r, k, i, j])),
        )


def set_counts(model: pyo.ConcreteModel, problem: Problem, placement: Placement) -> None:
    """Set served, x, sender, sent, whole, T and carries; a request without a place gets zeros."""
    latency = evaluate(problem, placement).layer_latency_s
    # Every variable needs a value, or HiGHS takes no start.
    for variable in model.component_data_objects(pyo.Var):
        variable.set_value(0)
    for r, task in enumerate(problem.tasks):
        placed = placement.requests.get(task.request.id)
        if placed is None:
            continue
        model.served[r].set_value(1)
        for k, layer in enumerate(task.layers):
            model.T[r, k].set_value(float(latency[task.request.id][k]) / problem.time_unit_s)
            for i in layer.hosts:
                model.x[r, k, i].set_value(int(placed.counts[k, i]))
                for mark in (model.sender, model.whole):
                    if (r, k, i) in mark:
                        mark[r, k, i].set_value(int(placed.counts[k, i] > 0))
        for k, layer in enumerate(task.layers[:-1]):
            if layer.transfer == "mapwise":
                sent = placed.flows.matrix(k, placed.counts.shape[1])
            else:
                sent = np.outer(placed.counts[k] > 0, placed.counts[k + 1])
            for i in layer.hosts:
                for j in task.layers[k + 1].hosts:
                    model.sent[r, k, i, j].set_value(int(sent[i, j]))
    set_carries(model)
