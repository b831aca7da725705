"""What happens when one engine claims what the placement of another one refutes.

The rule, which the search, the methods and `optmodel.explain` keep:

- A placement that passes the checker is a fact. What contradicts it is wrong, whoever said it.
- That requests *cannot be served* is no verdict on one solver's word. HiGHS, or what else Pyomo
  drives, judges in floats up to its tolerances, and CP-SAT has been wrong too; each asks the other
  one (`optmodel.milp.second_opinion`, `optmodel.milp.any_placement`). Unless both agree, nothing
  is claimed, and a note says who said what.
- A verdict of a MILP solver that a placement refutes was one of its tolerances. Nothing that this
  solver said is used any more, a note names both, and CP-SAT goes on, in whole numbers.
- Everything else is claimed as proven: a bound, what an exact method finds infeasible, CP-SAT's
  "infeasible" if HiGHS has a placement. A placement that refutes it is an error that names both,
  and no answer. Bounds are floats: `BOUND_TOLERANCE` is no contradiction.
"""

from optmodel.ground.rule_errors import ResultError

BOUND_TOLERANCE = 1e-6
"""How far, relatively, a solver's float bound may lie above the exact number it belongs to."""


def contradiction(prover: str, claim: str, placer: str, does: str) -> ResultError:
    """Return the error of a claim that a placement refutes, naming who claims and who placed."""
    return ResultError(f"{prover} claims {claim}, but the placement found by {placer} {does}")


def exceeds(bound: float, value: float) -> bool:
    """Tell whether a bound is above what it bounds by more than rounding can explain."""
    return bound > value * (1 + BOUND_TOLERANCE)


def settled_bound(objective_s: float | None, bound_s: float | None, claim: str) -> float | None:
    """Return a bound that is not above the latency it belongs to, which rounding may leave it.

    None without a latency: nothing is bounded then.

    Parameters
    ----------
    objective_s : float or None
        The latency, in seconds.
    bound_s : float or None
        The bound, in seconds.
    claim : str
        Who claims `{bound}` about whose placement, for the message.

    Raises
    ------
    ResultError
        If the bound is above the latency by more than `BOUND_TOLERANCE`.
    """
    if objective_s is None or bound_s is None:
        return None
    if exceeds(bound_s, objective_s):
        raise ResultError(f"{claim.format(bound=repr(bound_s))} takes {objective_s!r} s")
    return min(bound_s, objective_s)
