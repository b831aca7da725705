"""The policies by name, and how a policy becomes a checked solution."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from heuristics.baselines import AtRandom, LayerWise, OnSource
from heuristics.exact_policy import ExactPolicy
from heuristics.policy import (
    PlacementPolicy,
    PolicyOutcome,
    PolicyType,
    load_policy_type,
    paths_of,
    place_all,
)
from optmodel.ground.command_line import require_choice
from optmodel.ground.rule_errors import InputError, ResultError
from optmodel.online import DECISION_TIME_S, Algorithm1, KnownPaths, LookaheadPolicy
from optmodel.placement import Solution, Termination, to_document
from optmodel.problem import Instance, Problem
from optmodel.search import Allowance, settled_bound
from optmodel.solution_builder import bare_solution, with_bound, with_placement

POLICIES: Mapping[str, PolicyType] = {
    "lookahead": LookaheadPolicy,
    "algorithm1": Algorithm1,
    "layerwise": LayerWise,
    "random": AtRandom,
    "source": OnSource,
    "exact": ExactPolicy,
}
"""Policies by the name that `--policy` takes; a dotted name takes one of the user's own."""


def policy_type(name: str, field: str = "policy") -> PolicyType:
    """Return what makes a policy, by its name here or its dotted name.

    Raises
    ------
    InputError
        If there is no such policy; the message names the field.
    """
    if "." in name:
        return load_policy_type(name, field)
    require_choice(field, name, (*POLICIES, "package.module.Class"))
    return POLICIES[name]


def require_trusted(stored: str, named: str | None, where: str) -> None:
    """Refuse the policy that a file names if it is neither one of ours nor named by the caller.

    Code is run because somebody names it, not because a file does.

    Raises
    ------
    InputError
        Naming the file and what to do.
    """
    if stored == named or (named is None and stored in POLICIES):
        return
    if named is None:
        raise InputError(
            f"{where}: policy: expected one of {', '.join(POLICIES)}, got '{stored}'; if you trust "
            "that code, name it as the policy"
        )
    raise InputError(f"{where}: policy: expected '{named}', got '{stored}'; correct it")


def make_policy(
    name: str, seed: int = 0, decision_time_s: float = DECISION_TIME_S
) -> PlacementPolicy:
    """Return a new policy by its name here or its dotted name.

    Parameters
    ----------
    decision_time_s : float
        For `lookahead`: what its first decision on a kind of request may take.

    Raises
    ------
    InputError
        If there is no such policy.
    ResultError
        If it is the user's own and fails when it is made.
    """
    make = policy_type(name)
    if make is LookaheadPolicy:
        return LookaheadPolicy(seed=seed, decision_time_s=decision_time_s)
    try:
        return make(seed=seed)
    except (InputError, ResultError):
        raise
    except Exception as error:
        raise ResultError(
            f"{name} fails when it is made: {type(error).__name__}: {error}"
        ) from error


@dataclass(frozen=True, eq=False)
class CheckedPlan:
    """What a policy decided on a batch, also as a solution without a bound, checked."""

    problem: Problem
    outcome: PolicyOutcome
    decider: PlacementPolicy
    solution: Solution

    @property
    def bound_is_known(self) -> bool:
        """Whether the policy solved the paths that the bound rests on in order to decide."""
        return isinstance(self.decider, LookaheadPolicy)

    def bounded(self, time_limit_s: float | None = None) -> Solution:
        """Return the solution with a bound on the latency of the requests that it serves.

        Parameters
        ----------
        time_limit_s : float, optional
            Wall time in seconds; without it, each kind of request takes as many counted steps as a
            decision of `lookahead`.

        Raises
        ------
        ResultError
            If the policy's placement beats the bound.
        """
        paths = paths_of(self.decider, Allowance.of_seconds(time_limit_s))
        return _with_bound(self.solution, live_bound(self.problem, self.outcome, paths))


def decide(
    instance: Instance, policy: str, seed: int = 0, decision_time_s: float = DECISION_TIME_S
) -> CheckedPlan:
    """Place the requests of an instance with a policy, see `make_policy`, and check it.

    Raises
    ------
    InputError
        If there is no such policy.
    ResultError
        If the policy's placement fails the checker.
    """
    decider = make_policy(policy, seed, decision_time_s)
    problem = Problem.of(instance)
    start = time.perf_counter()
    outcome = place_all(problem, decider)
    wall_time_s = time.perf_counter() - start
    solution = checked_solution(problem, outcome, policy, seed, wall_time_s)
    return CheckedPlan(problem, outcome, decider, solution)


def place(instance: Instance, policy: str, seed: int = 0, *, with_bound: bool = True) -> Solution:
    """Return what a policy decides as a checked solution.

    Parameters
    ----------
    instance : Instance
        The batch.
    policy : str
        A key of `POLICIES`, or the dotted name of a class.
    seed : int
        For policies that draw at random.
    with_bound : bool
        Whether to bound the latency of the served requests; where the policy does not know their
        stages, solving them takes up to a second for each kind of request.

    Returns
    -------
    Solution
        Its run time is that of deciding, without bounds and checking.
    """
    plan = decide(instance, policy, seed)
    return plan.bounded() if with_bound else plan.solution


def checked_solution(
    problem: Problem, outcome: PolicyOutcome, policy: str, seed: int, wall_time_s: float
) -> Solution:
    """Return a policy's decisions as a solution without a bound.

    Raises
    ------
    ResultError
        If the placement fails the checker.
    """
    instance, end, options = problem.instance, Termination.HEURISTIC_END, {"seed": seed}
    solution = bare_solution(
        instance, policy, end, wall_time_s, options, status=outcome.solution_status
    )
    document = to_document(problem, outcome.placement, outcome.rejected)
    return with_placement(solution, instance, document)


def live_bound(problem: Problem, outcome: PolicyOutcome, paths: KnownPaths) -> float | None:
    """Return a lower bound in seconds on serving the requests that an outcome serves.

    The sum of what the stages prove of each request on the fleet as it is, with budgets of its
    own: it holds for every placement of these requests, together or one after another.

    Returns
    -------
    float or None
        None if nothing is served, or a request's bound is not known yet.
    """
    served = [task for task in problem.tasks if task.request.id in outcome.placement.requests]
    bounds = [paths.find(problem, task).bound_s for task in served]
    known = [bound for bound in bounds if bound is not None]
    return math.fsum(known) if known and len(known) == len(bounds) else None


def _with_bound(solution: Solution, bound_s: float | None) -> Solution:
    objective_s = solution.objective_s
    claim = f"the stages claim the bound {{bound}} s, but {solution.method}"
    bound_s = settled_bound(objective_s, bound_s, claim)
    if objective_s and not bound_s:
        bound_s = None  # A bound of 0 says nothing of what takes time.
    return with_bound(solution, bound_s)
