"""Check a placement: every violation, and the exact latency."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from optmodel.checker.arithmetic import (
    PlacedWork,
    decimal,
    layer_latencies,
    placed_works,
    sent_bits,
)
from optmodel.checker.conditions import (
    flows_listed_once,
    layer_violations,
    layers_complete,
    served_once,
    within_budgets,
)
from optmodel.checker.violation import Violation
from optmodel.placement.solution import PlacementDocument, RequestLatency
from optmodel.problem.instance import Instance

REPORTED_TOLERANCE = Fraction(1, 10**9)
"""Relative difference allowed between a latency that was reported as a float and the exact one."""
BOUND_TOLERANCE = Fraction(1, 10**6)
"""How far, relatively, a bound that a solver proved in floats may lie above a latency."""


def total(layer_latency_s: dict[str, dict[str, Fraction]]) -> Fraction:
    """Return latency summed over requests and layers, in seconds."""
    return sum((t for layers in layer_latency_s.values() for t in layers.values()), Fraction(0))


@dataclass(frozen=True)
class CheckReport:
    """Outcome of a check."""

    violations: tuple[Violation, ...]
    """Empty if the placement is feasible."""
    layer_latency_s: dict[str, dict[str, Fraction]]
    """T[r, l] in seconds, by request id and layer name (Eq. 5)."""
    shared_bits: Fraction
    """Bits sent between nodes, O[i, j, l] of Eq. 6 summed over requests, layers and i != j."""

    @property
    def passed(self) -> bool:
        """Whether no condition is broken."""
        return not self.violations

    @property
    def objective_s(self) -> Fraction:
        """Latency summed over requests and layers, in seconds (Eq. 5)."""
        return total(self.layer_latency_s)


def check(
    instance: Instance,
    placement: PlacementDocument,
    objective_s: float | None = None,
    latency: Sequence[RequestLatency] = (),
) -> CheckReport:
    """Check a placement against every constraint, and reported latencies against Eq. 5.

    Parameters
    ----------
    instance : Instance
        The problem.
    placement : PlacementDocument
        The placement in names; requests listed as rejected need no place.
    objective_s : float or None
        Reported objective in seconds, if any.
    latency : sequence of RequestLatency
        Reported latencies per layer, if any.
    """
    violations = list(served_once(instance, placement))
    works: dict[str, list[PlacedWork]] = {}
    requests = {request.id: request for request in instance.requests}
    for placed in placement.requests:
        if placed.request in requests and placed.request not in works:
            request = requests[placed.request]
            network = next(n for n in instance.networks if n.id == request.network)
            violations += layers_complete(network, placed)
            violations += flows_listed_once(instance, placed)
            works[request.id] = list(placed_works(instance, request, network, placed))
    for chain in works.values():
        for k, work in enumerate(chain):
            violations += layer_violations(instance, work, chain[k + 1 :][:1])
    violations += within_budgets(instance, works)
    exact = {name: layer_latencies(instance, chain) for name, chain in works.items()}
    violations += _misreported(exact, objective_s, latency)
    shared = sum((_shared_bits(chain) for chain in works.values()), Fraction(0))
    return CheckReport(tuple(violations), exact, shared)


def _shared_bits(chain: Sequence[PlacedWork]) -> Fraction:
    """Return what the nodes that compute one request send to each other."""
    sent = (sent_bits(work, following) for work, following in pairwise(chain))
    return sum((bits for after_layer in sent for bits in after_layer.values()), Fraction(0))


def _misreported(
    exact: dict[str, dict[str, Fraction]],
    objective_s: float | None,
    latency: Sequence[RequestLatency],
) -> Iterator[Violation]:
    """Eq. 5: reported latencies agree with the exact ones."""
    pairs: list[tuple[str, float, Fraction | None]] = []
    if objective_s is not None:
        pairs.append(("objective", objective_s, total(exact)))
    for reported in latency:
        known = exact.get(reported.request, {})
        pairs += [
            (f"request '{reported.request}', layer '{name}'", value, known.get(name))
            for name, value in reported.layers_s.items()
        ]
    for where, value, true in pairs:
        if true is None:
            yield Violation("5", where, "reported, but nothing is placed there", decimal(value))
            continue
        difference = abs(decimal(value) - true)
        if difference > REPORTED_TOLERANCE * max(true, Fraction(1, 10**12)):
            message = f"reported {value!r} s, exactly {float(true)!r} s"
            yield Violation("5", where, message, difference)
