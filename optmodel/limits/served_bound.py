"""How many requests can be served together at most, by their least loads on the budgets."""

from collections import Counter
from collections.abc import Iterator

import highspy
import numpy as np

from optmodel.ground.bare_highs import bare_highs
from optmodel.limits.infeasible_reasons import bits_to_helpers, least_traffic, on_helpers
from optmodel.problem import FloatArray, Problem, RequestTask
from optmodel.search import Search

TOLERANCE = 1e-4
"""How far the float bound on a whole number may lie below it."""


def limit_served(search: Search) -> None:
    """Lower the search's `most_served` to what the budgets allow, if admission asks for most."""
    if search.options.admission == "most":
        search.most_served = min(search.most_served, most_served(search.problem))


def most_served(problem: Problem) -> int:
    """Return a number of requests beyond which no placement serves any.

    maximise sum of n over kinds of requests, n whole, such that for each budget 8b-8d the least
    loads of the served requests keep within what all helpers have together, and within what each
    source has. Every placement of its served requests fulfils this, so the maximum is a bound.
    """
    tasks = [task for task in problem.tasks if not task.unattainable]
    kinds = Counter((task.source, task.layers) for task in tasks)
    of_kind = {(task.source, task.layers): task for task in tasks}
    if not kinds:
        return 0
    loads = np.stack([_least_loads(problem, of_kind[kind]) for kind in kinds])
    budgets = np.concatenate(list(_budgets(problem)))
    numbers = np.array(list(kinds.values()), dtype=float)
    return _largest_sum(loads, budgets, numbers)


def _budgets(problem: Problem) -> Iterator[FloatArray]:
    """Yield 8b, 8c and 8d: the helpers' together, then each source's."""
    for budget in problem.whole_budgets.astype(float):
        yield np.append(budget[: problem.helpers].sum(), budget[problem.helpers :])


def least_load(task: RequestTask) -> FloatArray:
    """Return the bytes, multiplications and bits that any placement puts on helpers, shape (3,).

    At least: each layer on helpers has its weights and its work, and its caps force so many of them
    to send.
    """
    load = np.zeros(3)
    for k, layer in enumerate(task.layers):
        if on_helpers(task, layer):
            sent = least_traffic(task, k) if k + 1 < len(task.layers) else 0
            each = (layer.segments * layer.weight_bytes, layer.segments * layer.multiplications)
            load += (*each, sent)
    return load


def _least_loads(problem: Problem, task: RequestTask) -> FloatArray:
    """Return the least loads of a request in the order of `_budgets`."""
    sources = len(problem.node_ids) - problem.helpers
    loads = np.zeros((3, 1 + sources))
    loads[:, 0] = least_load(task)
    at = 1 + task.source - problem.helpers
    for k, layer in enumerate(task.layers):
        if not on_helpers(task, layer):
            loads[0, at] += layer.segments * layer.weight_bytes
            loads[1, at] += layer.segments * layer.multiplications
            loads[2, at] += bits_to_helpers(task, k) if k + 1 < len(task.layers) else 0
    return loads.ravel()


def _largest_sum(loads: FloatArray, budgets: FloatArray, numbers: FloatArray) -> int:
    """Return the largest sum of n <= numbers with loads · n <= budgets, n whole.

    A row is stated in shares of its budget, so that the solver's tolerance is a tiny part of it;
    it can only let in more, never less.
    """
    model = bare_highs()
    model.setOptionValue("mip_rel_gap", 0.0)
    none, nothing = np.array([], dtype=np.int32), np.array([])
    for number, load in zip(numbers.tolist(), loads, strict=True):
        fits = not (load > budgets).any()
        model.addCol(1.0, 0.0, number if fits else 0.0, 0, none, nothing)
    for i in range(len(numbers)):
        model.changeColIntegrality(i, highspy.HighsVarType.kInteger)
    for budget, row in zip(budgets.tolist(), loads.T, strict=True):
        some = np.flatnonzero(row).astype(np.int32)
        if float(row @ numbers) > budget > 0:
            model.addRow(-highspy.kHighsInf, 1.0, len(some), some, row[some] / budget)
    model.changeObjectiveSense(highspy.ObjSense.kMaximize)
    model.run()
    most = numbers.sum()
    if model.getModelStatus() == highspy.HighsModelStatus.kOptimal:
        most = min(most, np.floor(model.getInfo().mip_dual_bound + TOLERANCE))
    return int(most)
