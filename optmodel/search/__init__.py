"""One run of any method: its options and limits, its incumbent, bound and trace."""

from optmodel.search.admission import most_then_fastest
from optmodel.search.agreement import BOUND_TOLERANCE, contradiction, exceeds, settled_bound
from optmodel.search.allowance import Allowance
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search, within_budgets

__all__ = [
    "BOUND_TOLERANCE",
    "Allowance",
    "Search",
    "SolverOptions",
    "contradiction",
    "exceeds",
    "most_then_fastest",
    "settled_bound",
    "within_budgets",
]
