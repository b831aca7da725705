"""The count formulation for CP-SAT: whole numbers only, time in ticks, no MILP solver."""

from optmodel.cpsat.model import CpsatModel
from optmodel.cpsat.objective import minimise_latency
from optmodel.cpsat.run import solve_cpsat, solve_milp
from optmodel.cpsat.ticks import Ticks

__all__ = ["CpsatModel", "Ticks", "minimise_latency", "solve_cpsat", "solve_milp"]
