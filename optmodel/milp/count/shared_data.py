"""The count formulation with limits on shared data and on latency, for the trade-off of the two.

Shared data is what nodes send to each other: the left-hand side of 8d, summed over the nodes.
"""

import math

import pyomo.environ as pyo

from optmodel.milp.count.constraints import sent_by_node
from optmodel.milp.count.model import CountModel
from optmodel.milp.count.objective import minimise_latency, replace_objective
from optmodel.problem import Problem


def unit_bits(problem: Problem) -> int:
    """Return a number of bits of which every amount of shared data is a multiple."""
    sizes = (layer.output_bits for task in problem.tasks for layer in task.layers[:-1])
    return math.gcd(*sizes) or 1


class SharedDataModel(CountModel):
    """Eq. 5-8 with one of latency and shared data limited, the other minimised."""

    @staticmethod
    def state(model: pyo.ConcreteModel, problem: Problem) -> None:
        """Add variables, constraints and the latency as objective; no limit holds yet."""
        CountModel.state(model, problem)
        count_shared_units(model, problem)
        limit_shared_data(model)
        limit_latency(model)

    def least_latency(self, most_bits: int | None) -> None:
        """Ask for the least latency of all placements that share at most so many bits."""
        model = self.pyomo_model
        minimise_latency(model)
        model.respect_latency_limit.deactivate()
        model.respect_shared_limit.deactivate()
        if most_bits is not None:
            # No placement shares a part of a unit.
            model.shared_limit.set_value(most_bits // unit_bits(self.problem))
            model.respect_shared_limit.activate()

    def least_shared_data(self, most_latency_s: float | None) -> None:
        """Ask for the least shared data, in units, of all placements within a latency."""
        model = self.pyomo_model
        replace_objective(model, "shared_data", model.shared_units)
        model.respect_latency_limit.deactivate()
        model.respect_shared_limit.deactivate()
        if most_latency_s is not None:
            model.latency_limit.set_value(most_latency_s / self.problem.time_unit_s)
            model.respect_latency_limit.activate()


def count_shared_units(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Sum over r, l, i and j != i of O[i, j, l] (Eq. 6), over the amounts' common divisor.

    All variables are whole numbers, so an excess of one unit is far beyond a solver's tolerance.
    """
    unit = unit_bits(problem)
    terms = [term for sent in sent_by_node(model, problem).values() for term in sent]
    model.shared_units = pyo.Expression(expr=pyo.quicksum(bits // unit * v for bits, v in terms))


def limit_shared_data(model: pyo.ConcreteModel) -> None:
    """Sum over r, l, i and j != i of O[i, j, l] <= limit: the epsilon-constraint."""
    # Mutable: a front asks for many limits, and building takes longer than changing one.
    model.shared_limit = pyo.Param(mutable=True, initialize=0)
    model.respect_shared_limit = pyo.Constraint(expr=model.shared_units - model.shared_limit <= 0)


def limit_latency(model: pyo.ConcreteModel) -> None:
    """Sum over r, l of T[r, l] <= limit, in the model's time unit."""
    model.latency_limit = pyo.Param(mutable=True, initialize=0)
    latency = pyo.quicksum(model.T.values())
    model.respect_latency_limit = pyo.Constraint(expr=latency - model.latency_limit <= 0)
