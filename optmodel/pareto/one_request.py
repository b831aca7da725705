"""The one request that a front belongs to, and when two latencies count as equal."""

from optmodel.ground.rule_errors import InputError
from optmodel.placement import SolutionStatus, Termination
from optmodel.problem import Instance, Request

ACCURACY = 5e-6
"""Relative: latencies closer than this count as equal. Two proofs, each up to the solver's gap of
1e-6 and the 1e-6 that floats may add to a bound, can be no further apart."""


class NothingFound(Exception):  # noqa: N818 - an outcome, not a fault
    """The time limit came before a placement, or a proof that there is none."""


def only_request(instance: Instance) -> Request:
    """Return the request of an instance that has one.

    Raises
    ------
    InputError
        If it has several.
    """
    if len(instance.requests) != 1:
        raise InputError(
            f"instance '{instance.name}': requests: expected one, whose trade-off is sought, got "
            f"{len(instance.requests)}; keep one"
        )
    return instance.requests[0]


def at_tolerance(instance: Instance, tolerated_ssim: float) -> Instance:
    """Return the instance with another tolerance of its request."""
    request = only_request(instance)
    return instance.with_requests((request.model_copy(update={"tolerated_ssim": tolerated_ssim}),))


def refuse_interrupted(termination: Termination) -> None:
    """Raise `KeyboardInterrupt` if a solver was stopped by Ctrl-C: what it left is no point."""
    if termination is Termination.INTERRUPTED:
        raise KeyboardInterrupt


def is_settled(status: SolutionStatus) -> bool:
    """Tell whether a status is a proof: of an optimum, or that there is no placement."""
    return status in (SolutionStatus.OPTIMAL, SolutionStatus.INFEASIBLE)
