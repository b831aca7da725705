"""Variables of the count formulation.

Indices: r request, l layer, i and j nodes; all from 0.
"""

from collections.abc import Iterator

import pyomo.environ as pyo

from optmodel.problem import TRANSFERS, LayerTask, Problem, Transfer


def transitions(
    problem: Problem, transfer: Transfer
) -> Iterator[tuple[int, int, LayerTask, LayerTask]]:
    """Yield (r, l, layer l, layer l + 1) for every layer whose output travels as `transfer`."""
    for r, task in enumerate(problem.tasks):
        for k, layer in enumerate(task.layers[:-1]):
            if layer.transfer == transfer:
                yield r, k, layer, task.layers[k + 1]


def layers(problem: Problem) -> Iterator[tuple[int, int, LayerTask]]:
    """Yield (r, l, layer) for every layer of every request."""
    for r, task in enumerate(problem.tasks):
        for k, layer in enumerate(task.layers):
            yield r, k, layer


def add_variables(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Add all variables; nodes that may not host a layer (8h) get none."""
    add_served(model, problem)
    add_counts(model, problem)
    add_senders(model, problem)
    add_units_sent(model, problem)
    add_whole(model, problem)
    add_latency(model, problem)


def add_served(model: pyo.ConcreteModel, problem: Problem) -> None:
    """served[r] = 1 iff request r is served; fixed to 1 under admission "all"."""
    model.served = pyo.Var(range(len(problem.tasks)), domain=pyo.Binary)


def add_counts(model: pyo.ConcreteModel, problem: Problem) -> None:
    """x[r, l, i]: segments of layer l on node i; branching on it treats segments alike."""
    index = [(r, k, i) for r, k, layer in layers(problem) for i in layer.hosts]
    model.x = pyo.Var(index, domain=pyo.NonNegativeIntegers)


def add_senders(model: pyo.ConcreteModel, problem: Problem) -> None:
    """sender[r, l, i] = min(1, x[r, l, i]) after a conv or fc (Eq. 6)."""
    index = [(r, k, i) for r, k, layer, _ in transitions(problem, "broadcast") for i in layer.hosts]
    model.sender = pyo.Var(index, domain=pyo.Binary)


def add_units_sent(model: pyo.ConcreteModel, problem: Problem) -> None:
    """sent[r, l, i, j]: maps that i sends to j after layer l, O[i, j, l] over bits per map."""
    index = [
        (r, k, i, j)
        for transfer in TRANSFERS
        for r, k, layer, following in transitions(problem, transfer)
        for i in layer.hosts
        for j in following.hosts
    ]
    # Whole: fractions could part the maps so that the slowest pair waits for less than one.
    model.sent = pyo.Var(index, domain=pyo.NonNegativeIntegers)


def add_whole(model: pyo.ConcreteModel, problem: Problem) -> None:
    """whole[r, l, i] = 1 iff node i holds all segments of the first fc (8g)."""
    index = [(r, k, i) for r, k, layer in layers(problem) if layer.whole for i in layer.hosts]
    model.whole = pyo.Var(index, domain=pyo.Binary)


def add_latency(model: pyo.ConcreteModel, problem: Problem) -> None:
    """T[r, l]: latency of layer l in the model's time unit (Eq. 5)."""
    model.T = pyo.Var([(r, k) for r, k, _ in layers(problem)], domain=pyo.NonNegativeReals)
