"""Records of measured runs: phases, memory, and how runs ended that returned nothing."""

from enum import StrEnum

from benchmarks.common.records import Record
from optmodel.placement import Solution, SolutionStatus

PHASES = ("read", "build", "solve", "check")


class ProcessEnd(StrEnum):
    """How a measured process ended."""

    FINISHED = "finished"
    """It returned a solution that passed the checker, or said that it found none."""
    KILLED = "killed"
    """It was still running long after its time limit."""
    OUT_OF_MEMORY = "out of memory"
    """It asked for more memory than a run may take."""
    WRONG = "wrong"
    """The checker refused what the method returned."""
    CRASHED = "crashed"
    """It ended in any other way."""


class RunRecord(Record):
    """What one method took on one instance with one solver; the columns of the CSV file."""

    outcome: ProcessEnd
    """How the process ended."""
    read_s: float | None
    """Seconds to read and validate the instance's file; None unless finished."""
    build_s: float | None
    """Seconds to build arrays and model; None unless finished."""
    solve_s: float | None
    """Seconds of everything between building and checking: solvers, and feeding them."""
    check_s: float | None
    """Seconds in which the checker verified the placement."""
    peak_memory_bytes: int | None
    """Largest resident memory of the process and of programs it started; None unless finished."""
    error: str | None
    """Last line of what the process said, unless it finished."""

    @classmethod
    def finished(cls, solution: Solution, requests: int, read_s: float, peak: int) -> "RunRecord":
        """Return the record of a solution, its phases apart."""
        phases = dict(solution.phases_s)
        return cls.of(
            solution,
            requests,
            outcome=ProcessEnd.FINISHED,
            read_s=read_s,
            build_s=phases.pop("build", 0.0),
            check_s=phases.pop("check", 0.0),
            solve_s=sum(phases.values()),
            peak_memory_bytes=peak,
            error=None,
        )

    @classmethod
    def failed(
        cls, solution: Solution, requests: int, outcome: ProcessEnd, error: str | None
    ) -> "RunRecord":
        """Return the record of a run that returned nothing; `solution` says so."""
        unknown = dict.fromkeys(("read_s", "build_s", "solve_s", "check_s", "peak_memory_bytes"))
        return cls.of(solution, requests, outcome=outcome, error=error, **unknown)

    @property
    def seconds(self) -> float:
        """Seconds from reading to checking; of a run that failed, until it ended."""
        if self.read_s is None or self.build_s is None:
            return self.wall_time_s
        return self.read_s + self.build_s + (self.solve_s or 0.0) + (self.check_s or 0.0)

    @property
    def proven(self) -> bool:
        """Whether the run proved an optimum, up to the asked gap, or infeasibility."""
        return self.solution_status in (SolutionStatus.OPTIMAL, SolutionStatus.INFEASIBLE)
