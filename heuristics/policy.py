"""What a policy is: it decides, request by request, on what the fleet has left."""

from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import Protocol, cast

from heuristics.limit_check import broken_limit
from optmodel.ground.rule_errors import InputError, OptionError, ResultError
from optmodel.online import KnownPaths, LookaheadPolicy
from optmodel.placement import (
    CostedPlacement,
    Placement,
    Rejection,
    RequestPlacement,
    SolutionStatus,
)
from optmodel.problem import BudgetLedger, Problem, RequestTask
from optmodel.search import Allowance


@dataclass(frozen=True)
class PolicyOutcome:
    """The decisions of a policy on a batch."""

    placement: Placement
    """The requests that are served."""
    rejected: tuple[Rejection, ...]
    """The others, each with the layer and the condition that failed."""

    @property
    def solution_status(self) -> SolutionStatus:
        """What the decisions amount to."""
        if not self.rejected:
            return SolutionStatus.FEASIBLE
        return SolutionStatus.PARTIAL if self.placement.requests else SolutionStatus.NONE


class PlacementPolicy(Protocol):
    """Decides where one request is computed.

    A policy lives as long as a run and may keep what it learns from one request to the next.
    Equal policies that are asked the same in the same order must answer the same.
    """

    def place(
        self, problem: Problem, task: RequestTask, left: BudgetLedger
    ) -> RequestPlacement | Rejection:
        """Return a placement within what is left, or why there is none.

        Parameters
        ----------
        problem : Problem
            The fleet as it now is. Its tasks are the batch, of which a policy that decides online
            should not look at those yet to come.
        task : RequestTask
            The request; its node indices are those of `problem`.
        left : BudgetLedger
            What every node still has to give; a copy, which the policy may change.
        """
        ...


class PolicyType(Protocol):
    """What makes a policy: usually its class."""

    def __call__(self, *, seed: int) -> PlacementPolicy:
        """Return a new policy; the seed is for those that draw at random."""
        ...


def paths_of(policy: PlacementPolicy, allowance: Allowance | None = None) -> KnownPaths:
    """Return where a policy keeps the paths over stages that it has solved, or an empty place.

    An empty place may take what is allowed.
    """
    return policy.paths if isinstance(policy, LookaheadPolicy) else KnownPaths(allowance=allowance)


def place_one(
    problem: Problem, policy: PlacementPolicy, task: RequestTask, left: BudgetLedger
) -> CostedPlacement | Rejection:
    """Ask a policy for one request; return its placement with what that costs, or why not.

    Raises
    ------
    ResultError
        If the policy fails, if its answer is none or about another request, or if the placement
        breaks a limit (8e-8i) or takes more than a node has left (8b-8d).
    """
    name = type(policy).__name__
    try:
        answer = policy.place(problem, task, left.copy())
    except (InputError, ResultError):
        # These say already who is at fault.
        raise
    except Exception as error:
        raise ResultError(
            f"{name} fails on request '{task.request.id}': {type(error).__name__}: {error}"
        ) from error
    if isinstance(answer, Rejection) and answer.request == task.request.id:
        return answer
    if not isinstance(answer, RequestPlacement):
        raise ResultError(
            f"{name} answers request '{task.request.id}' with {answer!r}: expected a "
            "RequestPlacement or a Rejection"
        )
    who = f"{name} places request '{task.request.id}'"
    # Before its cost, which of a malformed placement means nothing or cannot be worked out.
    broken = broken_limit(problem, task, answer)
    if broken is not None:
        raise ResultError(f"{who} against {broken}")
    costed = CostedPlacement.of(problem, task, answer)
    if not left.has_room(costed.load):
        shortage = left.describe_shortage(problem, costed.load)
        raise ResultError(f"{who} on more than is left: {shortage}")
    return costed


def place_all(problem: Problem, policy: PlacementPolicy) -> PolicyOutcome:
    """Place the requests of a batch in order of arrival, each on what is left.

    Raises
    ------
    ResultError
        If a placement breaks a limit or takes more than a node has left.
    """
    ledger = BudgetLedger.of(problem)
    placed: dict[str, RequestPlacement] = {}
    rejected: list[Rejection] = []
    for task in problem.tasks:
        answer = place_one(problem, policy, task, ledger)
        if isinstance(answer, Rejection):
            rejected.append(answer)
            continue
        placed[task.request.id] = answer.placement
        ledger.reserve(answer.load)
    return PolicyOutcome(Placement(placed), tuple(rejected))


def load_policy_type(name: str, field: str) -> PolicyType:
    """Import what a dotted name `package.module.Class` names.

    Raises
    ------
    InputError
        If there is no such module or class, it has no method `place`, or it takes no seed; the
        message names the field.
    """
    module_name, _, attribute = name.rpartition(".")
    try:
        # `import_module` has other errors for a leading dot and for an empty name.
        if not all(part.isidentifier() for part in name.split(".")):
            raise ImportError("that is no dotted name")
        found = getattr(import_module(module_name), attribute)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise OptionError(
            field,
            f"expected package.module.Class, got '{name}': {error}; run from the folder "
            "that holds the package, or install it",
        ) from error
    if not callable(getattr(found, "place", None)):
        raise OptionError(
            field,
            f"expected a class with a method place(problem, task, left), got '{name}'; "
            "heuristics/policy.py states the protocol",
        )
    try:
        # Bound, not called: commands ask about all names first, and make policies later.
        signature(found).bind(seed=0)
    except TypeError as error:
        raise OptionError(
            field,
            f"expected a class that is made with a seed, got '{name}': {error}; give it "
            "__init__(self, *, seed)",
        ) from error
    return cast(PolicyType, found)
