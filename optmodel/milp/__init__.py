"""The exact model as a MILP: formulations, solvers, and a second opinion on what they say."""

from optmodel.milp.any_placement import (
    BOTH,
    UNKNOWN,
    FeasibilityAnswer,
    FeasibilityVerdict,
    checked_latency_s,
    find_least_load,
    find_placement,
    run_within,
)
from optmodel.milp.budget_loads import BUDGETS, BudgetKind, most_loads, placed_loads
from optmodel.milp.count import CountModel, SharedDataModel, unit_bits
from optmodel.milp.count.host_groups import groups
from optmodel.milp.count.variables import layers, transitions
from optmodel.milp.formulation import Formulation
from optmodel.milp.run import (
    FEW_PAIRS,
    SECONDS_PER_PAIR,
    WHOLE_TOLERANCE,
    RefutedVerdict,
    moving_pairs,
    run_milp,
    within_reach,
)
from optmodel.milp.second_opinion import LARGEST_ACTIVITY, run_in_thread
from optmodel.milp.segment import SegmentModel
from optmodel.milp.solvers import require_solver, run_solver

__all__ = [
    "BOTH",
    "BUDGETS",
    "FEW_PAIRS",
    "LARGEST_ACTIVITY",
    "SECONDS_PER_PAIR",
    "UNKNOWN",
    "WHOLE_TOLERANCE",
    "BudgetKind",
    "CountModel",
    "FeasibilityAnswer",
    "FeasibilityVerdict",
    "Formulation",
    "RefutedVerdict",
    "SegmentModel",
    "SharedDataModel",
    "checked_latency_s",
    "find_least_load",
    "find_placement",
    "groups",
    "layers",
    "most_loads",
    "moving_pairs",
    "placed_loads",
    "require_solver",
    "run_in_thread",
    "run_milp",
    "run_solver",
    "run_within",
    "transitions",
    "unit_bits",
    "within_reach",
]
