"""What a user asks of a solver run: limits, gap, seed and admission."""

from dataclasses import dataclass

from optmodel.placement import Admission


@dataclass(frozen=True)
class SolverOptions:
    """Limits and parameters of a solver run."""

    solver: str = "highs"
    """Name by which Pyomo knows the solver."""
    time_limit_s: float | None = None
    """Wall time for the whole run, building included, in seconds; None for no limit."""
    mip_gap: float = 1e-6
    """Relative gap at which a placement counts as optimal."""
    threads: int | None = None
    seed: int | None = None
    """Passed on to the solver; None leaves its default."""
    presolve: bool = True
    """Whether the solver may presolve."""
    admission: Admission = "all"
    """Whether every request must be served (8e as printed), or as many as possible, and those with
    the least latency."""
