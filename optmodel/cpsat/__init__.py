"""The count formulation for CP-SAT: whole numbers only, time in ticks, no MILP solver."""

from optmodel.cpsat.model import CpsatModel
from optmodel.cpsat.run import solve_cpsat

__all__ = ["CpsatModel", "solve_cpsat"]
