"""Records of the trade-off benchmark: points as they are found, in one file, resumable to each."""

from pathlib import Path
from typing import Self

from pydantic import Field

from benchmarks.common import provenance
from benchmarks.common.records import Options
from benchmarks.tradeoffs.tradeoff_cases import TradeoffCase
from optmodel.ground.json_files import StrictModel, read_model, write_model
from optmodel.ground.rule_errors import InputError
from optmodel.pareto import Price, SharedPoint, ToleranceStep, is_settled
from optmodel.placement import Seconds, Solution, SolutionStatus


class Optimum(StrictModel):
    """What solving said."""

    solution_status: SolutionStatus
    """Optimal and infeasible are proofs."""
    latency_s: Seconds | None
    """Latency of the best placement, in seconds; None without one."""
    bound_s: float | None
    """Proven lower bound on it, in seconds; None when unknown."""
    reasons: tuple[str, ...]
    """Why there is no placement, as far as arithmetic shows it."""

    @classmethod
    def of(cls, solution: Solution) -> Self:
        """Return what a solution says."""
        return cls(
            solution_status=solution.solution_status,
            latency_s=solution.objective_s,
            bound_s=solution.bound_s,
            reasons=solution.reasons,
        )


class PriceRecord(StrictModel):
    """The optimum with 8f and without."""

    private: Optimum
    """With the caps."""
    free: Optimum
    """Without."""
    added_s: float | None
    """Latency that the caps add, in seconds; None unless both have a placement."""
    share: float | None
    """The same as a share of the latency without caps."""
    kept_on_source: tuple[str, ...]
    """Layers that policy "source" keeps on the camera, as no share of their maps is safe."""

    @property
    def proven(self) -> bool:
        """Whether both are settled."""
        return all(is_settled(one.solution_status) for one in (self.private, self.free))

    @classmethod
    def of(cls, price: Price, kept_on_source: tuple[str, ...]) -> Self:
        """Return the record of a price."""
        return cls(
            private=Optimum.of(price.private),
            free=Optimum.of(price.free),
            added_s=price.added_s,
            share=price.share,
            kept_on_source=kept_on_source,
        )


class CurveRecord(StrictModel):
    """What is known of one case, so far."""

    instance_sha256: str
    """Digest of the instance's content, which includes its name."""
    options: Options
    """Limits and parameters of the runs."""
    finished: bool
    """Whether nothing is left to be found."""
    steps: tuple[ToleranceStep, ...] = ()
    """Optima by tolerance, the strictest first."""
    points: tuple[SharedPoint, ...] = ()
    """Optima by limit on shared data, the fastest first."""
    open: bool = False
    """Whether the time limit came before any of these, or a proof that there is no placement."""
    price: PriceRecord | None = None
    """The price of privacy."""
    source_sha256: str = ""
    """Digest of the code that found it; empty in records that do not tell."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of Python and packages; empty in records that do not tell."""
    commit: str | None = Field(default_factory=provenance.commit)
    """Commit of the code."""
    host: str = Field(default_factory=provenance.host)
    """Processor and cores."""

    @property
    def is_current(self) -> bool:
        """Whether this code and these packages found it."""
        found = (self.source_sha256, self.versions)
        return found == (provenance.source(), provenance.versions())

    @property
    def proven(self) -> bool:
        """Whether all that was found is proven."""
        found = (*self.steps, *self.points, *((self.price,) if self.price else ()))
        return not self.open and all(one.proven for one in found)

    def proven_part(self, options: Options) -> Self:
        """Return what need not be sought again under other limits: all, or the proven points."""
        points = tuple(point for point in self.points if point.proven)
        finished = self.finished and self.proven
        changes = {"options": options, "finished": finished, "open": False}
        return self.model_copy(update={**changes, "points": points})


class _CurveFile(StrictModel):
    records: tuple[CurveRecord, ...]


class CurveBook:
    """The records in a folder, written after each addition.

    Parameters
    ----------
    path : Path
        JSON file; read if it exists.

    Raises
    ------
    InputError
        If the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: dict[str, CurveRecord] = {}
        if path.exists():
            try:
                found = read_model(path, _CurveFile).records
            except InputError as error:
                text = f"{error}; these are records of earlier runs: delete them"
                raise InputError(text) from error
            self._records = {record.instance_sha256: record for record in found}

    @property
    def records(self) -> list[CurveRecord]:
        """All records."""
        return [*self._records.values()]

    def find(self, sha256: str, options: Options) -> CurveRecord | None:
        """Return what is known of this content, with these options, this code and these packages.

        Under another time limit that is what is proven, since time adds nothing to it.
        """
        record = self._records.get(sha256)
        if record is None or not record.is_current:
            return None
        if record.options == options:
            return record
        limits = {"time_limit_s": options["time_limit_s"]}
        return record.proven_part(options) if {**record.options, **limits} == options else None

    def add(self, record: CurveRecord) -> None:
        """Keep a record in place of an earlier one, and write the file."""
        self._records[record.instance_sha256] = record
        write_model(self._path, _CurveFile(records=tuple(self._records.values())))


Curves = dict[TradeoffCase, CurveRecord]
"""The records of a call, by case."""
