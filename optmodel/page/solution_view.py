"""What a page shows of one solution, checked anew in exact arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optmodel.checker import CheckReport, check_solution
from optmodel.page.placement_picture import PlacementPicture, draw
from optmodel.placement import (
    Placement,
    RequestPlacement,
    Solution,
    evaluate,
    facts,
    from_document,
    infeasible_because,
    latency_text,
    rejections,
    transfer_bits,
)
from optmodel.problem import Instance, Problem, RequestTask

MOST_NAMED = 6
"""Nodes of a layer that its line of the table names; the picture shows all."""


@dataclass(frozen=True)
class BudgetUse:
    """What a node uses of a budget, in the budget's unit."""

    used: int
    budget: float

    @property
    def share(self) -> float:
        """Used part, 0 to 1."""
        return self.used / self.budget if self.budget else 0.0


@dataclass(frozen=True)
class NodeUse:
    """A node and its three budgets (8b, 8c, 8d)."""

    id: str
    family: str
    role: str
    memory: BudgetUse
    compute: BudgetUse
    bandwidth: BudgetUse


@dataclass(frozen=True)
class LayerRow:
    """One layer of one request.

    `limit` is what limits who may compute it (8f-8h), `latency_s` is T[r, l] (Eq. 5), and `share`
    that of the latency of the request, 0 to 1.
    """

    name: str
    segments: int
    limit: str
    holders: str
    sent_bits: int
    latency_s: float
    share: float


@dataclass(frozen=True)
class RequestView:
    """One placed request."""

    id: str
    network: str
    tolerated_ssim: float
    latency: str
    layers: tuple[LayerRow, ...]
    picture: PlacementPicture


@dataclass(frozen=True)
class SolutionView:
    """What a page shows of a solution.

    `violations` are what the checker objects to; if anything, no request and no node is shown.
    """

    name: str
    description: str
    facts: list[tuple[str, str]]
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    rejected: tuple[str, ...]
    violations: tuple[str, ...]
    requests: tuple[RequestView, ...]
    nodes: tuple[NodeUse, ...]


def view_solution(instance: Instance, solution: Solution) -> SolutionView:
    """Check a solution, and work out what is shown of it."""
    report = check_solution(instance, solution)
    requests: tuple[RequestView, ...] = ()
    nodes: tuple[NodeUse, ...] = ()
    if report.passed and solution.placement is not None and solution.placement.requests:
        problem = Problem.of(instance)
        placement = from_document(problem, solution.placement)
        requests = tuple(_requests(problem, placement, report))
        nodes = tuple(_nodes(problem, placement))
    return SolutionView(
        name=instance.name,
        description=instance.description,
        facts=facts(solution),
        reasons=infeasible_because(solution),
        notes=solution.notes,
        rejected=tuple(rejections(solution)),
        violations=tuple(map(str, report.violations)),
        requests=requests,
        nodes=nodes,
    )


def _requests(problem: Problem, placement: Placement, report: CheckReport) -> Iterator[RequestView]:
    for task in problem.tasks:
        placed = placement.requests.get(task.request.id)
        if placed is None:
            continue
        latency = report.layer_latency_s[task.request.id]
        yield RequestView(
            id=task.request.id,
            network=task.network.id,
            tolerated_ssim=task.request.tolerated_ssim,
            latency=latency_text(float(sum(latency.values()))),
            layers=tuple(_layers(problem, task, placed, latency)),
            picture=draw(problem, task, placed),
        )


def _layers(
    problem: Problem, task: RequestTask, placed: RequestPlacement, latency: dict[str, Fraction]
) -> Iterator[LayerRow]:
    total = sum(latency.values())
    for k, layer in enumerate(task.layers):
        sent = transfer_bits(task, placed, k).sum() if k + 1 < len(task.layers) else 0
        took = latency[layer.name]
        yield LayerRow(
            name=layer.name,
            segments=layer.segments,
            limit=_limit(task, k),
            holders=_holders(problem, placed, k),
            sent_bits=int(sent),
            latency_s=float(took),
            share=float(took / total) if total else 0.0,
        )


def _limit(task: RequestTask, k: int) -> str:
    """Return what limits who may compute a layer: the source (8h), a cap (8f), one node (8g)."""
    layer, cap = task.layers[k], task.protection.cap(k)
    if layer.hosts == (task.source,):
        return "source only" if cap is None else f"source only, Nf = {cap}"
    limits = ["" if cap is None else f"Nf = {cap}", "one node" if layer.whole else ""]
    return ", ".join(filter(None, limits))


def _holders(problem: Problem, placed: RequestPlacement, k: int) -> str:
    on = np.flatnonzero(placed.counts[k])
    numbers = placed.counts[k, on]
    if len(on) > MOST_NAMED:
        return f"{len(on)} nodes, {numbers.min()} to {numbers.max()} segments each"
    held = zip(on.tolist(), numbers.tolist(), strict=True)
    return ", ".join(f"{problem.node_ids[node]}: {number}" for node, number in held)


def _nodes(problem: Problem, placement: Placement) -> Iterator[NodeUse]:
    """Yield what each node uses, sources first."""
    loads = evaluate(problem, placement).load
    sources = range(problem.helpers, len(problem.node_ids))
    for i in (*sources, *range(problem.helpers)):
        node = problem.instance.nodes[i]
        uses = [
            BudgetUse(int(load[i]), float(budget[i]))
            for load, budget in zip(loads, problem.budgets, strict=True)
        ]
        role = "source" if i >= problem.helpers else "helper"
        yield NodeUse(node.id, node.family, role, *uses)
