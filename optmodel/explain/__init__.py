"""Why there is no placement: a smallest set of limits that clash, and changes that would help."""

from optmodel.ground.entry import loading

with loading("optmodel.explain"):
    from optmodel.explain.change import Change, changed
    from optmodel.explain.conflict import Conflict, Proof
    from optmodel.explain.diagnose import Explanation, explain
    from optmodel.explain.groups import LimitGroup
    from optmodel.explain.repairs import Repair
    from optmodel.milp import Verdict

__all__ = [
    "Change",
    "Conflict",
    "Explanation",
    "LimitGroup",
    "Proof",
    "Repair",
    "Verdict",
    "changed",
    "explain",
]
