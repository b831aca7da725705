"""The exact methods and the solvers behind them: what the behaviour suite runs over."""

from dataclasses import dataclass

import pytest

from optmodel.placement.solution import Solution
from optmodel.problem.instance import Instance
from optmodel.search.options import SolverOptions
from optmodel.solving import solve


@dataclass(frozen=True)
class Engine:
    """A method, and the solver that `--solvers` chooses it by."""

    method: str
    solver: str

    def __str__(self) -> str:
        return self.method if self.method == self.solver else f"{self.method}-{self.solver}"

    def solve(self, made: Instance, **options: object) -> Solution:
        """Solve with these options; `solver` names a MILP solver, which some methods ignore."""
        milp = {} if self.solver in WITHOUT_MILP_SOLVER else {"solver": self.solver}
        return solve(made, self.method, SolverOptions(**milp, **options))


WITHOUT_MILP_SOLVER = ("cpsat",)
QUICK = (
    Engine("segment", "highs"),
    Engine("count", "highs"),
    Engine("cpsat", "cpsat"),
    Engine("auto", "highs"),
)
"""Engines that solve hundreds of tiny instances in seconds."""
ENGINES = (
    *QUICK,
    Engine("segment", "scip"),
    Engine("count", "scip"),
    Engine("segment", "cbc"),
    Engine("count", "cbc"),
)
quick_engines = pytest.mark.parametrize("engine", QUICK, ids=str)
every_engine = pytest.mark.parametrize("engine", ENGINES, ids=str)
without_cbc = pytest.mark.parametrize(
    "engine", [engine for engine in ENGINES if engine.solver != "cbc"], ids=str
)
