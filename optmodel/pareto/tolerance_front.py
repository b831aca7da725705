"""Latency against tolerance: the optimum of one request as a step function of what is tolerated.

The tolerance enters Eq. 5-8 through the caps Nf (8f) and through which layers must stay on the
source (8h) alone. Both change only where the tolerance reaches a measured similarity minus the
slack, so finitely many optima make the whole curve.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from optmodel.ground.json_files import StrictModel
from optmodel.pareto.one_request import (
    ACCURACY,
    at_tolerance,
    is_settled,
    only_request,
    refuse_interrupted,
)
from optmodel.placement import Seconds, Solution, SolutionStatus
from optmodel.problem import FcLayer, Instance, LayerTask, Problem, envelope, exact
from optmodel.search import SolverOptions
from optmodel.solving import solve

Tolerance = Annotated[float, Field(ge=-1, le=1)]

STRICTEST, LOOSEST = -1.0, 1.0
"""The tolerances that a request may have."""


class ToleranceStep(StrictModel):
    """The optimum for all tolerances of one interval, on which caps and hosts stay the same."""

    from_ssim: Tolerance
    """The least tolerance of the step."""
    below_ssim: Tolerance | None
    """Where the next step begins; None for the last one, which ends at 1."""
    solution_status: SolutionStatus
    """Optimal and infeasible are proofs."""
    latency_s: Seconds | None
    """Latency of the best placement, recomputed exactly, in seconds; None without one."""
    bound_s: float | None
    """Proven lower bound on it, in seconds; None when unknown."""
    reasons: tuple[str, ...] = ()
    """Why there is no placement, as far as arithmetic shows it."""

    @property
    def proven(self) -> bool:
        """Whether the latency is proven least, or that there is no placement."""
        return is_settled(self.solution_status)


def breakpoints(instance: Instance) -> list[float]:
    """Return the tolerances at which caps or hosts of the request change, the least one first.

    Each is the smallest number whose decimal, as a file shows it, is at least env(n) - slack for
    a measured n (8f): between two of them no share becomes safe.
    """
    table = instance.ssim_table
    network = instance.network_of(only_request(instance))
    names = {layer.ssim_row for layer in network.layers if not isinstance(layer, FcLayer)}
    thresholds = {
        similarity - exact(table.slack)
        for row in table.rows
        if row.row in names
        for _, similarity in envelope(row)
    }
    inside = sorted(t for t in thresholds if exact(STRICTEST) < t <= exact(LOOSEST))
    found: list[float] = []
    before: tuple[LayerTask, ...] = ()
    for tolerance in [STRICTEST, *map(_at_least, inside)]:
        layers = Problem.of(at_tolerance(instance, tolerance)).tasks[0].layers
        if layers != before:
            found.append(tolerance)
            before = layers
    return found


def _at_least(threshold: Fraction) -> float:
    """Return the smallest float whose decimal is not below a threshold."""
    nearest = float(threshold)
    return nearest if exact(nearest) >= threshold else math.nextafter(nearest, math.inf)


def tolerance_steps(
    instance: Instance, options: SolverOptions | None = None
) -> Iterator[ToleranceStep]:
    """Yield the optimum of every step, the strictest tolerance first.

    Parameters
    ----------
    instance : Instance
        With one request, whose own tolerance plays no role.
    options : SolverOptions, optional
        Limits of each point; a time limit leaves a point with an interval, bound to latency.

    Raises
    ------
    InputError
        If the instance has several requests.
    KeyboardInterrupt
        On Ctrl-C, rather than to yield a point that was cut short.
    """
    starts = breakpoints(instance)
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        solution = solve(at_tolerance(instance, start), "auto", options)
        refuse_interrupted(solution.termination)
        yield _step(start, end, solution)


def _step(start: float, end: float | None, solution: Solution) -> ToleranceStep:
    return ToleranceStep(
        from_ssim=start,
        below_ssim=end,
        solution_status=solution.solution_status,
        latency_s=solution.objective_s,
        bound_s=solution.bound_s,
        reasons=solution.reasons,
    )


def front(steps: list[ToleranceStep]) -> list[ToleranceStep]:
    """Return the steps that no stricter one dominates: a promise more costs time there.

    A step is dominated if a stricter one takes no longer. That happens even without ties: 8h as
    the paper has it takes the first fc from the source once nothing it receives is at risk, which
    a user who asks for the stricter promise avoids. Steps without a placement are left out.
    """
    kept: list[ToleranceStep] = []
    fastest = math.inf
    for step in sorted(steps, key=lambda step: step.from_ssim):
        if step.latency_s is None:
            continue
        # Unless the bound says otherwise, the step may turn out faster than all stricter ones.
        if step.bound_s is None or fastest > step.bound_s * (1 + ACCURACY):
            kept.append(step)
        fastest = min(fastest, step.latency_s)
    return kept
