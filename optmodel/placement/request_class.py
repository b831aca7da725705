"""Requests that are equal in all that Eq. 5-8 ask about: one class, solved once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optmodel.placement.costed_placement import CostedPlacement
from optmodel.placement.placement import Flows, RequestPlacement, expanded
from optmodel.problem import Fleet, Problem, RequestTask


@dataclass(frozen=True, eq=False)
class RequestClass:
    """Requests of one network and tolerance, from sources of equal data."""

    problem: Problem
    """The helpers, the source of the first member, and the first member as only request. Its
    helpers have the indices of the whole problem; its source is node `problem.helpers`."""
    members: tuple[RequestTask, ...]
    """The requests, as tasks of the whole problem."""

    @property
    def task(self) -> RequestTask:
        """What each member asks for."""
        return self.problem.tasks[0]

    @cached_property
    def fleet(self) -> Fleet:
        """The groups of helpers, and the source as the last group."""
        return Fleet(self.problem)

    def costed(self, placement: RequestPlacement) -> CostedPlacement:
        """Evaluate a placement on `problem`."""
        return CostedPlacement.of(self.problem, self.task, placement)

    def for_member(
        self, member: RequestTask, placed: RequestPlacement, nodes: int
    ) -> RequestPlacement:
        """Return a placement of `problem` as one of the whole problem with that many nodes."""
        return expanded(placed, np.append(np.arange(self.problem.helpers), member.source), nodes)

    def from_member(self, member: RequestTask, placed: RequestPlacement) -> RequestPlacement:
        """Return a placement of the whole problem as one of `problem`."""
        helpers = self.problem.helpers
        where = np.append(np.arange(helpers), member.source)
        place = np.full(placed.counts.shape[1], helpers)
        place[:helpers] = np.arange(helpers)
        flows = placed.flows
        moved = Flows(flows.layer, place[flows.sender], place[flows.receiver], flows.maps)
        return RequestPlacement(placed.counts[:, where], moved)


def classes_of(problem: Problem) -> tuple[RequestClass, ...]:
    """Sort the requests into classes, in order of first arrival."""
    alike: dict[object, list[RequestTask]] = {}
    for task in problem.tasks:
        alike.setdefault(problem.kind_of(task), []).append(task)
    return tuple(RequestClass(alone(problem, tasks[0]), tuple(tasks)) for tasks in alike.values())


def alone(problem: Problem, task: RequestTask) -> Problem:
    """Return the problem of one request."""
    instance = problem.instance
    changes = {"sources": (instance.nodes[task.source],), "requests": (task.request,)}
    return Problem.of(instance.model_copy(update=changes))
