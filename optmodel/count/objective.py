"""Objective of the exact formulations."""

import pyomo.environ as pyo


def add_objective(model: pyo.ConcreteModel) -> None:
    """8a: minimise the sum over r, l of T[r, l]."""
    model.latency = pyo.Objective(expr=pyo.quicksum(model.T.values()), sense=pyo.minimize)
