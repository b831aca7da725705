"""Batches whose requests compete for the budgets: bounds by prices, placements by sharing."""

from optmodel.columns.method import solve_columns

__all__ = ["solve_columns"]
