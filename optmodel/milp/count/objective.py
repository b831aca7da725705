"""Objectives of the exact formulations; a model has one of them at a time."""

from typing import Any

import pyomo.environ as pyo


def minimise_latency(model: pyo.ConcreteModel) -> None:
    """8a: minimise the sum over r, l of T[r, l]."""
    replace_objective(model, "latency", pyo.quicksum(model.T.values()))


def minimise_rejected(model: pyo.ConcreteModel) -> None:
    """Minimise the number of requests that are not served, sum over r of 1 - served[r]."""
    rejected = pyo.quicksum(1 - served for served in model.served.values())
    replace_objective(model, "rejected", rejected)


def replace_objective(model: pyo.ConcreteModel, name: str, expression: Any) -> None:
    """Minimise an expression instead of what the model minimised before."""
    # Solvers refuse a model with two of them.
    for objective in list(model.component_objects(pyo.Objective)):
        model.del_component(objective)
    model.add_component(name, pyo.Objective(expr=expression, sense=pyo.minimize))
