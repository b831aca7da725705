"""Brute force with only some of an instance's limits kept, and which instances to explain."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import reference
from strategies import PLENTY

from optmodel.explain import LimitGroup
from optmodel.problem.instance import Instance, Node, Request

EQUATIONS = {"privacy": "8f", "whole": "8g"}
FIELDS = {
    "memory": "memory_bytes",
    "compute": "compute_budget_mult",
    "bandwidth": "bandwidth_budget_bits",
}


def best_keeping(made: Instance, kept: Collection[LimitGroup]) -> reference.Best | None:
    """Return the best placement that keeps to 8e, 8h and some groups, whatever else it breaks."""
    changes = {
        "devices": tuple(_with_budgets(at, kept) for at in made.devices),
        "sources": tuple(_with_budgets(at, kept) for at in made.sources),
    }
    with _keeping_within_layers(kept):
        return reference.searched(made.model_copy(update=changes))


def _with_budgets(at: Node, kept: Collection[LimitGroup]) -> Node:
    limits = {(group.kind, name) for group in kept for name in group.nodes}
    fields = [field for kind, field in FIELDS.items() if (kind, at.id) not in limits]
    return at.model_copy(update=dict.fromkeys(fields, PLENTY))


@contextmanager
def _keeping_within_layers(kept: Collection[LimitGroup]) -> Iterator[None]:
    """Let the reference forgive 8f and 8g where no group that is kept asks for them."""
    asked = {
        (EQUATIONS[group.kind], request, layer)
        for group in kept
        for request in group.requests
        for layer in group.layers
    }
    strict = reference.broken_by_vector

    def forgiving(made: Instance, request: Request, index: int, vector: reference.Vector):
        layer = reference.layers_of(made, request)[index]
        for equation in strict(made, request, index, vector):
            if equation == "8h" or (equation, request.id, layer.name) in asked:
                yield equation

    reference.broken_by_vector = forgiving
    try:
        yield
    finally:
        reference.broken_by_vector = strict
