"""What a user asks of a solver run: limits, gap, seed and admission."""

from dataclasses import dataclass

from optmodel.placement import Admission


@dataclass(frozen=True)
class SolverOptions:
    """Limits and parameters of a solver run.

    Attributes
    ----------
    solver : str
        Name by which Pyomo knows the solver.
    time_limit_s : float or None
        Wall time for the whole run, building included, in seconds; None for no limit.
    mip_gap : float
        Relative gap at which a placement counts as optimal.
    threads, seed : int or None
        Passed on to the solver; None leaves its default.
    presolve : bool
        Whether the solver may presolve.
    admission : {"all", "most"}
        Whether every request must be served (8e as printed), or as many as possible, and those
        with the least latency.
    """

    solver: str = "highs"
    time_limit_s: float | None = None
    mip_gap: float = 1e-6
    threads: int | None = None
    seed: int | None = None
    presolve: bool = True
    admission: Admission = "all"
