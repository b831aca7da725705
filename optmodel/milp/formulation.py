"""What the exact formulations have in common: a MILP, and placements read from its solutions."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import pyomo.environ as pyo

from optmodel.placement import Admission, Placement, RequestPlacement
from optmodel.problem import Problem


@dataclass(frozen=True)
class Formulation(ABC):
    """The exact model of Eq. 5-8 for one problem.

    With admission "all" every layer must have a host. Latencies count in the problem's time unit.
    """

    problem: Problem
    pyomo_model: pyo.ConcreteModel

    @classmethod
    def build(cls, problem: Problem, admission: Admission = "all") -> Self:
        """Build the MILP of a problem, with the latency as objective."""
        model = pyo.ConcreteModel(name=problem.instance.name)
        cls.state(model, problem)
        if admission == "all":
            model.served.fix(1)
        return cls(problem, model)

    @staticmethod
    @abstractmethod
    def state(model: pyo.ConcreteModel, problem: Problem) -> None:
        """Add variables, constraints and objective."""

    @abstractmethod
    def set_values(self, placement: Placement) -> None:
        """Give every variable the value that it has in a placement."""

    @abstractmethod
    def read_request(self, r: int) -> RequestPlacement:
        """Return the placement of request `r`, which is served, whose values the MILP holds."""

    def placement(self) -> Placement:
        """Return the placement of the served requests whose values the MILP holds."""
        return Placement(
            {
                task.request.id: self.read_request(r)
                for r, task in enumerate(self.problem.tasks)
                if round(pyo.value(self.pyomo_model.served[r]))
            }
        )
