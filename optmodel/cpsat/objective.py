"""Objectives of the CP-SAT model."""

from ortools.sat.python.cp_model import CpModel, LinearExpr

from optmodel.cpsat.variables import CpsatVariables


def minimise_latency(model: CpModel, v: CpsatVariables) -> None:
    """8a: minimise the sum over r, l of T[r, l], in ticks."""
    model.minimize(LinearExpr.sum(list(v.T.values())))


def minimise_rejected(model: CpModel, v: CpsatVariables) -> None:
    """Minimise the number of requests that are not served."""
    model.minimize(len(v.served) - LinearExpr.sum(list(v.served.values())))
