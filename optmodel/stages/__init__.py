"""One request at a time, stage by stage: exact when budgets are slack, a bound always."""

from optmodel.stages.method import solve_stages

__all__ = ["solve_stages"]
