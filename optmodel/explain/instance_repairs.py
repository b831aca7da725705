"""The cheapest single change of each kind that makes an instance feasible.

Every repair is verified: the changed instance has a placement that passes the checker. Repairs come
in this order, cheapest first: what keeps the privacy asked for before what loosens it, and what
asks for no new hardware before what does.

1. policy: layers of which no share is safe stay on the source;
2. a larger budget of one node, the least relative increase;
3. more copies of one device, the fewest;
4. a looser tolerance, the least, then for the fewest requests.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from optmodel.explain.instance_change import InstanceChange, changed
from optmodel.explain.limit_conflict import LimitConflict
from optmodel.explain.limit_groups import LimitGroup, alike, called, of_sources_alone
from optmodel.ground.json_files import StrictModel
from optmodel.milp import (
    BOTH,
    BUDGETS,
    UNKNOWN,
    BudgetKind,
    FeasibilityAnswer,
    FeasibilityVerdict,
    checked_latency_s,
    find_least_load,
    find_placement,
    placed_loads,
)
from optmodel.problem import Instance, LayerTask, Node, Problem, envelope, exact
from optmodel.search import Allowance, contradiction

MOST_NEW_DEVICES = 64
"""Most devices that a repair may add."""


class InstanceRepair(StrictModel):
    """A change that restores feasibility."""

    change: InstanceChange
    """What to change."""
    sentence: str
    """The change in words."""
    least: bool
    """Whether it is proven that less of the same change does not suffice."""
    latency_s: float
    """Latency of the placement that verified the repair, in seconds; the optimum may be less."""


@dataclass(frozen=True)
class RepairSearch:
    """What the search for a repair works on.

    An infeasible instance, conflicts of it without a group in common, and when to stop.
    """

    instance: Instance
    conflicts: tuple[LimitConflict, ...]
    allowance: Allowance

    def try_change(self, change: InstanceChange) -> FeasibilityAnswer:
        """Look for a placement of the changed instance."""
        return find_placement(Problem.of(changed(self.instance, change)), self.allowance)

    def repair(
        self, change: InstanceChange, sentence: str, answer: FeasibilityAnswer, least: bool
    ) -> InstanceRepair:
        """Return the repair that a placement of the changed instance verifies."""
        if answer.placement is None:
            raise ValueError("a repair needs a placement")
        latency_s = checked_latency_s(changed(self.instance, change), answer.placement)
        hint = "" if least else " (less may do)"
        return InstanceRepair(
            change=change, sentence=sentence + hint, least=least, latency_s=latency_s
        )


RepairOutcome = InstanceRepair | str
"""A repair, or the sentence that says that there is none of its kind, as far as was looked."""


def find_repairs(search: RepairSearch) -> tuple[tuple[InstanceRepair, ...], tuple[str, ...]]:
    """Return the cheapest repair of each kind, and sentences for the kinds without one.

    Each kind gets an equal share of the time that those before it left.
    """
    finders: list[Callable[[RepairSearch], Iterator[RepairOutcome]]] = [
        _policy,
        _budgets,
        _devices,
        _tolerance,
    ]
    outcomes: list[RepairOutcome] = []
    for waiting, finder in zip(range(len(finders), 0, -1), finders, strict=True):
        outcomes += finder(replace(search, allowance=search.allowance.part(share=1 / waiting)))
    repairs = tuple(outcome for outcome in outcomes if isinstance(outcome, InstanceRepair))
    return repairs, tuple(outcome for outcome in outcomes if isinstance(outcome, str))


def _policy(search: RepairSearch) -> Iterator[RepairOutcome]:
    tasks = Problem.of(search.instance).tasks
    if not any(task.unattainable for task in tasks):
        return
    change = InstanceChange(kind="policy")
    answer = search.try_change(change)
    if answer.placement is not None:
        sentence = (
            'set unattainable to "source": layers of which no share is safe stay on the source'
        )
        yield search.repair(change, sentence, answer, least=True)
    else:
        yield f'unattainable "source" does not help{_unless_late(answer)}'


def _unless_late(*answers: FeasibilityAnswer) -> str:
    late = any(answer.verdict is FeasibilityVerdict.UNKNOWN for answer in answers)
    return " as far as the time limit allowed to look" if late else ""


# Budgets.


def _budgets(search: RepairSearch) -> Iterator[RepairOutcome]:
    """Of each kind, let the node of a class grow that needs the least relative increase.

    Only a budget that is part of every conflict can help, and disjoint conflicts share none.
    """
    if len(search.conflicts) > 1:
        yield f"no larger budget helps: it would mend one of {len(search.conflicts)} conflicts"
        return
    groups = [g for g in search.conflicts[0].groups if g.kind in BUDGETS]
    if not groups:
        yield "no larger budget helps: the conflict holds whatever the budgets are"
    for kind in BUDGETS:
        of_kind = [group for group in groups if group.kind == kind]
        if of_kind:
            yield _larger_budget(search, kind, of_kind)


def _larger_budget(
    search: RepairSearch, kind: BudgetKind, groups: Sequence[LimitGroup]
) -> RepairOutcome:
    problem = Problem.of(search.instance)
    nodes = [problem.node_ids.index(group.nodes[0]) for group in groups]
    answers = {i: _least_load(problem, kind, i, search.allowance) for i in nodes}
    increases = {}
    for i, answer in answers.items():
        if answer.placement is not None:
            load = placed_loads(problem, answer.placement)[kind][i]
            increases[i] = load - BUDGETS[kind].of(search.instance.nodes[i])
    for i, increase in increases.items():
        if increase <= 0:
            claim = "that not all requests can be served"
            does = f"serves them within the {kind} of '{problem.node_ids[i]}'"
            raise contradiction(BOTH, claim, answers[i].placed_by, does)
    if not increases:
        late = _unless_late(*answers.values())
        return f"no larger {kind} of a single node helps{late}"
    budgets = {i: BUDGETS[kind].of(search.instance.nodes[i]) for i in increases}
    best = min(increases, key=lambda i: (Fraction(increases[i], max(budgets[i], 1)), i))
    node = search.instance.nodes[best]
    change = InstanceChange(kind=kind, targets=(node.id,), amount=increases[best])
    sentence = f"give '{node.id}' {increases[best]:,} more {BUDGETS[kind].unit} of {kind}"
    return search.repair(change, sentence, answers[best], answers[best].least)


def _least_load(
    problem: Problem, kind: BudgetKind, node: int, allowance: Allowance
) -> FeasibilityAnswer:
    if any(task.unattainable for task in problem.tasks):
        return FeasibilityAnswer(FeasibilityVerdict.INFEASIBLE)
    return find_least_load(problem, kind, node, allowance)


# Devices.


def _devices(search: RepairSearch) -> Iterator[RepairOutcome]:
    """More copies of one device, as few as suffice: more never hurt."""
    problem = Problem.of(search.instance)
    for conflict in search.conflicts:
        if all(of_sources_alone(problem, group) for group in conflict.groups):
            yield "no number of devices helps: a conflict is about sources or unsafe maps alone"
            return
    found: list[tuple[int, Node, FeasibilityAnswer, bool]] = []
    late = []
    for device in _worth_copying(search.instance):
        most = min((fewest for fewest, *_ in found), default=MOST_NEW_DEVICES + 1) - 1
        if most == 0:
            break
        fewest, answer, least = _fewest(search, device, most)
        if answer.placement is not None:
            found.append((fewest, device, answer, least))
        late.append(answer)
    if not found:
        late_or_not = _unless_late(*late)
        yield f"{MOST_NEW_DEVICES} more copies of any one device do not help{late_or_not}"
        return
    fewest, device, answer, least = found[-1]
    change = InstanceChange(kind="devices", targets=(device.id,), amount=fewest)
    sentence = f"add {fewest} more {device.family} (like '{device.id}')"
    yield search.repair(change, sentence, answer, least)


def _worth_copying(instance: Instance) -> Iterator[Node]:
    """Yield a device of each class of equal devices, the largest classes first.

    Feasibility asks for budgets only, so a device of which no budget is larger than those of one
    before it cannot do with fewer copies.
    """
    before: list[Node] = []
    for devices in sorted(alike(instance.devices), key=len, reverse=True):
        if not any(_has_room_of(known, devices[0]) for known in before):
            yield devices[0]
            before.append(devices[0])


def _has_room_of(device: Node, other: Node) -> bool:
    return all(budget.of(device) >= budget.of(other) for budget in BUDGETS.values())


def _fewest(search: RepairSearch, device: Node, most: int) -> tuple[int, FeasibilityAnswer, bool]:
    """Return the fewest copies that suffice, up to `most`: galloping, then bisection."""

    def with_copies(number: int) -> FeasibilityAnswer:
        """Look for a placement with so many copies."""
        change = InstanceChange(kind="devices", targets=(device.id,), amount=number)
        return search.try_change(change)

    too_few, enough, best, proven = 0, 1, UNKNOWN, True
    while enough <= most:
        best = with_copies(enough)
        if best.placement is not None:
            break
        proven = best.verdict is FeasibilityVerdict.INFEASIBLE
        too_few, enough = enough, min(2 * enough, most) if enough < most else most + 1
    if best.placement is None:
        return enough, best, False
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        answer = with_copies(middle)
        if answer.placement is not None:
            enough, best = middle, answer
        else:
            too_few = middle
            proven = answer.verdict is FeasibilityVerdict.INFEASIBLE
    return enough, best, proven


# Tolerance.


def _tolerance(search: RepairSearch) -> Iterator[RepairOutcome]:
    """Try the tolerances at which caps change, from the least up.

    A looser tolerance can take the first fc from the source (8h), so that it may make things worse:
    no value can be skipped.
    """
    tried = {_layers(search.instance)}
    answers: list[FeasibilityAnswer] = []
    for tolerance in _tolerances(search.instance):
        for requests in _stricter(search.instance, tolerance):
            change = InstanceChange(kind="tolerance", targets=requests, amount=tolerance)
            layers = _layers(changed(search.instance, change))
            if layers in tried:
                continue
            tried.add(layers)
            answers.append(search.try_change(change))
            if answers[-1].placement is not None:
                least = all(
                    answer.verdict is FeasibilityVerdict.INFEASIBLE for answer in answers[:-1]
                )
                sentence = f"let {called(requests)} tolerate an SSIM of {tolerance:g}"
                yield search.repair(change, sentence, answers[-1], least)
                return
    yield f"no looser tolerance helps{_unless_late(*answers)}"


def _layers(instance: Instance) -> tuple[tuple[LayerTask, ...], ...]:
    """Return what a tolerance can change: the caps and hosts of all layers."""
    return tuple(task.layers for task in Problem.of(instance).tasks)


def _tolerances(instance: Instance) -> list[float]:
    """Return the least tolerances at which a measured number of maps is safe, increasing."""
    table = instance.ssim_table
    least = {s - exact(table.slack) for row in table.rows for _, s in envelope(row)}
    return sorted(float(max(tolerance, Fraction(-1))) for tolerance in least)


def _stricter(instance: Instance, tolerance: float) -> list[tuple[str, ...]]:
    """Return the requests to be loosened to a tolerance: those of a kind, fewest first, or all."""
    kinds: dict[tuple[str, float], list[str]] = {}
    for request in instance.requests:
        if request.tolerated_ssim < tolerance:
            kinds.setdefault((request.network, request.tolerated_ssim), []).append(request.id)
    everyone = [name for names in kinds.values() for name in names]
    candidates = [tuple(names) for names in kinds.values()]
    if len(candidates) > 1:
        candidates.append(tuple(everyone))
    return sorted(candidates, key=len)
