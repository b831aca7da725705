"""Why there is no placement: a smallest set of limits that clash, and changes that would help."""

from optmodel.ground.entry import loading

with loading("optmodel.explain"):
    from optmodel.explain.explanation import Explanation, explain
    from optmodel.explain.instance_change import InstanceChange, changed
    from optmodel.explain.instance_repairs import InstanceRepair
    from optmodel.explain.limit_conflict import ConflictProof, LimitConflict
    from optmodel.explain.limit_groups import LimitGroup
    from optmodel.milp import FeasibilityVerdict

__all__ = [
    "ConflictProof",
    "Explanation",
    "FeasibilityVerdict",
    "InstanceChange",
    "InstanceRepair",
    "LimitConflict",
    "LimitGroup",
    "changed",
    "explain",
]
