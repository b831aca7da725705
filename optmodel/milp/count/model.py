"""Build the count formulation, give it a start, and read placements from its solutions."""

import pyomo.environ as pyo

from optmodel.milp.count.constraints import add_constraints
from optmodel.milp.count.objective import minimise_latency
from optmodel.milp.count.start import set_counts
from optmodel.milp.count.strengthening import set_largest, strengthen
from optmodel.milp.count.variables import add_variables
from optmodel.milp.formulation import Formulation
from optmodel.placement import Placement, RequestPlacement
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
