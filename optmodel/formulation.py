"""What the exact formulations have in common: a MILP, and placements read from its solutions."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import pyomo.environ as pyo

from optmodel.placement import Placement
from optmodel.problem import Problem


@dataclass(frozen=True)
class Formulation(ABC):
    """The exact model of Eq. 5-8 for one problem.

    Attributes
    ----------
    problem : Problem
        What is placed; every layer must have a host.
    pyomo_model : pyomo.environ.ConcreteModel
        The MILP; its objective counts in the problem's time unit.
    """

    problem: Problem
    pyomo_model: pyo.ConcreteModel

    @classmethod
    def build(cls, problem: Problem) -> Self:
        """Build the MILP of a problem."""
        model = pyo.ConcreteModel(name=problem.instance.name)
        cls.state(model, problem)
        return cls(problem, model)

    @staticmethod
    @abstractmethod
    def state(model: pyo.ConcreteModel, problem: Problem) -> None:
        """Add variables, constraints and objective."""

    @abstractmethod
    def placement(self) -> Placement:
        """Return the placement whose values the MILP holds."""
