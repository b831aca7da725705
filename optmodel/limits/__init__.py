"""What arithmetic alone shows: no placement, or no more than so many requests served."""

from optmodel.limits.infeasible_reasons import reasons_infeasible
from optmodel.limits.served_bound import least_load, limit_served, most_served

__all__ = ["least_load", "limit_served", "most_served", "reasons_infeasible"]
