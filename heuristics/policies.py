"""The policies by name, and how a policy becomes a checked solution."""

import time
from collections.abc import Mapping

from heuristics.algorithm1 import Algorithm1
from heuristics.baselines import AtRandom, LayerWise, OnSource
from heuristics.exact import Exact
from heuristics.lookahead import Lookahead
from heuristics.outcome import Outcome
from heuristics.policy import Policy, PolicyType, load_policy_type, place_all
from optmodel.cli import require_choice
from optmodel.instance import Instance
from optmodel.problem import Problem
from optmodel.solution import Solution, SolutionStatus, Termination
from optmodel.translate import to_document
from optmodel.verified import digest, with_placement

POLICIES: Mapping[str, PolicyType] = {
    "lookahead": Lookahead,
    "algorithm1": Algorithm1,
    "layerwise": LayerWise,
    "random": AtRandom,
    "source": OnSource,
    "exact": Exact,
}
"""Policies by the name that `--policy` takes; a dotted name takes one of the user's own."""


def make_policy(name: str, seed: int = 0) -> Policy:
    """Return a new policy by its name here or its dotted name.

    Raises
    ------
    InputError
        If there is no such policy.
    """
    if "." in name:
        return load_policy_type(name)(seed=seed)
    require_choice("--policy", name, POLICIES)
    return POLICIES[name](seed=seed)


def place(instance: Instance, policy: str, seed: int = 0) -> Solution:
    """Place the requests of an instance with a policy, and check what it decides.

    Parameters
    ----------
    instance : Instance
        The batch.
    policy : str
        A key of `POLICIES`, or the dotted name of a class.
    seed : int
        For policies that draw at random.

    Raises
    ------
    InputError
        If there is no such policy.
    ResultError
        If the policy's placement fails the checker.
    """
    maker = make_policy(policy, seed)
    start = time.perf_counter()
    problem = Problem.of(instance)
    outcome = place_all(problem, maker)
    wall_time_s = time.perf_counter() - start
    solution = Solution(
        instance=instance.name,
        instance_sha256=digest(instance),
        method=policy,
        solver=None,
        solver_version=None,
        options={},
        termination=Termination.HEURISTIC_END,
        solution_status=_status(outcome),
        objective_s=None,
        bound_s=None,
        gap=None,
        wall_time_s=wall_time_s,
        placement=None,
    )
    document = to_document(problem, outcome.placement, outcome.rejected)
    return with_placement(solution, instance, document)


def _status(outcome: Outcome) -> SolutionStatus:
    if not outcome.rejected:
        return SolutionStatus.FEASIBLE
    return SolutionStatus.PARTIAL if outcome.placement.requests else SolutionStatus.NONE
