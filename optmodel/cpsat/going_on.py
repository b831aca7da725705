"""Solve a formulation by a MILP solver; CP-SAT goes on where a placement refutes what it says."""

from optmodel.cpsat.run import solve_cpsat
from optmodel.milp import Formulation, RefutedVerdict, run_milp
from optmodel.placement import Termination
from optmodel.search import Search


def solve_milp(search: Search, formulation: type[Formulation]) -> Termination:
    """Run the search's solver on a formulation of its problem, or CP-SAT in its place."""
    try:
        return run_milp(search, formulation)
    except RefutedVerdict:
        if search.left_s <= 0:
            return Termination.TIME_LIMIT
    with search.speaking("cpsat"):
        return solve_cpsat(search)
