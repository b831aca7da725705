"""Compute the cases of the trade-off benchmark, keeping each point as soon as it is found."""

from dataclasses import asdict, dataclass

from benchmarks.common.origins import SOLVING
from benchmarks.common.records import Options
from benchmarks.tradeoffs.tradeoff_cases import TradeoffCase
from benchmarks.tradeoffs.tradeoff_record import CurveRecord, PriceRecord
from optmodel.ground.finished_runs import RunStore
from optmodel.pareto import (
    NothingFound,
    SharedPoint,
    price_of_privacy,
    shared_data_front,
    tolerance_steps,
)
from optmodel.problem import Instance, Problem, digest
from optmodel.search import SolverOptions


@dataclass(frozen=True)
class Runner:
    """Computes cases that are not recorded."""

    store: RunStore[CurveRecord]
    options: SolverOptions
    """Limits of each run of a solver."""
    points: int
    """About so many points of each front of shared data."""
    force: bool = False
    """Whether to repeat what is recorded."""

    def run(self, case: TradeoffCase) -> CurveRecord:
        """Return the record of a case, finished."""
        instance = case.instance()
        options: Options = asdict(self.options)
        if case.kind == "shared":
            options["points"] = self.points
        sha256 = digest(instance)
        known = None if self.force else self.store.get(sha256)
        begun = (known and known.under(options)) or CurveRecord(
            instance_sha256=sha256, options=options, finished=False, **SOLVING.stamp()
        )
        if begun.finished:
            return begun
        find = {"tolerance": self._tolerance, "shared": self._shared, "price": self._price}
        return find[case.kind](instance, begun)

    def _tolerance(self, instance: Instance, begun: CurveRecord) -> CurveRecord:
        steps = tuple(tolerance_steps(instance, self.options))
        return self._keep(begun, steps=steps, finished=True)

    def _shared(self, instance: Instance, begun: CurveRecord) -> CurveRecord:
        known = {point.limit_bits: point for point in begun.points}
        points: list[SharedPoint] = []
        record = begun
        try:
            for point in shared_data_front(instance, self.options, self.points, known):
                points.append(point)
                record = self._keep(record, points=tuple(points))
        except NothingFound:
            return self._keep(record, finished=True, open=True)
        return self._keep(record, finished=True)

    def _price(self, instance: Instance, begun: CurveRecord) -> CurveRecord:
        price = price_of_privacy(instance, self.options)
        kept = PriceRecord.of(price, kept_on_source(instance))
        return self._keep(begun, price=kept, finished=True)

    def _keep(self, record: CurveRecord, **found: object) -> CurveRecord:
        grown = record.model_copy(update=found)
        self.store.add(grown)
        return grown


def kept_on_source(instance: Instance) -> tuple[str, ...]:
    """Return the layers that policy "source" keeps on the source, as no share is safe."""
    if instance.unattainable != "source":
        return ()
    (task,) = Problem.of(instance).tasks
    names = (layer.name for layer in task.layers)
    return tuple(name for k, name in enumerate(names) if task.protection.cap(k) == 0)
