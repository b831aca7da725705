"""An independent re-statement of Eq. 5 and 8b-8i in exact rational arithmetic.

The checker reads an instance and a placement in names, and shares no code with the models, the
heuristics or the evaluator: caps, costs, transfers and latencies are worked out again from the
raw fields. Every violation is listed with the node, the layer and the amount.
"""

from optmodel.checker.claims import check_solution
from optmodel.checker.report import CheckReport, check
from optmodel.checker.violation import Violation

__all__ = ["CheckReport", "Violation", "check", "check_solution"]
