"""Records of the trade-off benchmark: points as they are found, resumable to each."""

from typing import Self

from benchmarks.common.origins import SOLVING
from benchmarks.common.records import Options
from benchmarks.tradeoffs.tradeoff_cases import TradeoffCase
from optmodel.ground.finished_runs import FinishedRun
from optmodel.ground.json_files import StrictModel
from optmodel.ground.provenance import Origin
from optmodel.pareto import PrivacyPrice, SharedPoint, ToleranceStep, is_settled
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
    def of(cls, price: PrivacyPrice, kept_on_source: tuple[str, ...]) -> Self:
        """Return the record of a price."""
        return cls(
            private=Optimum.of(price.private),
            free=Optimum.of(price.free),
            added_s=price.added_s,
            share=price.share,
            kept_on_source=kept_on_source,
        )


class CurveRecord(FinishedRun):
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

    @property
    def key(self) -> str:
        """Digest of the instance."""
        return self.instance_sha256

    @property
    def origin(self) -> Origin:
        """What decides it."""
        return SOLVING

    @property
    def proven(self) -> bool:
        """Whether all that was found is proven."""
        found = (*self.steps, *self.points, *((self.price,) if self.price else ()))
        return not self.open and all(one.proven for one in found)

    def under(self, options: Options) -> Self | None:
        """Return what need not be sought again under other options, None if all of it.

        Under another time limit that is what is proven, since time adds nothing to it.
        """
        if self.serves(options=options):
            return self
        limits = {"time_limit_s": options["time_limit_s"]}
        if not self.serves() or {**self.options, **limits} != options:
            return None
        points = tuple(point for point in self.points if point.proven)
        finished = self.finished and self.proven
        changes = {"options": options, "finished": finished, "open": False}
        return self.model_copy(update={**changes, "points": points})


Curves = dict[TradeoffCase, CurveRecord]
"""The records of a call, by case."""
