"""The count formulation for CP-SAT: whole numbers only, time in ticks, no MILP solver."""

from optmodel.cpsat.cpsat_run import solve_cpsat, solve_milp_or_cpsat
from optmodel.cpsat.cpsat_ticks import CpsatTicks
from optmodel.cpsat.model import CpsatModel
from optmodel.cpsat.objective import minimise_latency

__all__ = ["CpsatModel", "CpsatTicks", "minimise_latency", "solve_cpsat", "solve_milp_or_cpsat"]
