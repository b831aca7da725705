"""Latency against shared data on small fleets: points that the count formulation proves.

Each point is found in two runs: the least latency with at most so many bits, then the fewest bits
within that latency. What prices on bits have found and bounded (`front_by_prices`) is where
the runs start, and what is left if a time limit ends them.
"""

from dataclasses import replace
from functools import cached_property
from math import ceil

from optmodel.ground.rule_errors import ResultError
from optmodel.milp import WHOLE_TOLERANCE, SharedDataModel, run_solver, unit_bits
from optmodel.pareto.checked_placement import CheckedPlacement, checked
from optmodel.pareto.front_by_prices import TIE
from optmodel.pareto.one_request import refuse_interrupted
from optmodel.pareto.shared_data_prices import DataBounds
from optmodel.pareto.shared_point import SharedPoint
from optmodel.placement import SolutionStatus, from_document, to_document
from optmodel.problem import Instance, Problem
from optmodel.search import SolverOptions, settled_bound


class CountedSeeker:
    """Finds points of one instance, each run starting from the best placement that is known.

    Of one request, from placements that are known, the fastest among them, and what prices say.

    Attributes
    ----------
    unit : int
        Bits of which every amount of shared data is a multiple.
    """

    def __init__(
        self,
        instance: Instance,
        options: SolverOptions,
        found: list[CheckedPlacement],
        bounds: DataBounds,
    ) -> None:
        self._problem = Problem.of(instance)
        self._options, self._found, self._bounds = options, found, bounds
        self.unit = unit_bits(self._problem)

    @cached_property
    def _model(self) -> SharedDataModel:
        return SharedDataModel.build(self._problem)

    @cached_property
    def _least_and_bound(self) -> tuple[CheckedPlacement, int]:
        self._model.least_shared_data(None)
        start = min(self._found, key=lambda placed: placed.bits)
        return self._fewest_bits(start, self._bounds.source_bits)

    @property
    def least(self) -> CheckedPlacement:
        """The placement that shares least."""
        return self._least_and_bound[0]

    def fastest(self, bound_s: float | None) -> SharedPoint:
        """Return the point without a limit, given a bound on its latency."""
        fast = min(self._found, key=lambda placed: placed.latency_s)
        return self._sharing_least(None, fast, _highest(bound_s, self._bounds.least_latency_s))

    def within(self, limit: int) -> SharedPoint:
        """Return the point that shares at most so many bits, no fewer than `least` shares."""
        self._model.least_latency(limit)
        start = self._quickest(limit)
        found, bound = self._run(start, self._options)
        if found.bits > limit:
            raise ResultError(f"count shares {found.bits} bits, the limit is {limit}")
        bound_s = None if bound is None else bound * self._problem.time_unit_s
        best = min(found, start, key=lambda placed: placed.latency_s)
        return self._sharing_least(limit, best, _highest(bound_s, self._bounds.latency_s(limit)))

    def _quickest(self, limit: int) -> CheckedPlacement:
        """Return the fastest placement known that shares at most so many bits."""
        fitting = [placed for placed in (*self._found, self.least) if placed.bits <= limit]
        return min(fitting, key=lambda placed: placed.latency_s)

    def _sharing_least(
        self, limit: int | None, fast: CheckedPlacement, bound_s: float
    ) -> SharedPoint:
        """Return the point that shares least of those as fast."""
        longest_s = fast.latency_s * (1 + TIE)
        self._model.least_shared_data(longest_s)
        as_fast = [placed for placed in (*self._found, fast) if placed.latency_s <= longest_s]
        start = min(as_fast, key=lambda placed: placed.bits)
        best, bound_bits = self._fewest_bits(start, self._bounds.shared_bits(longest_s))
        if limit == self.least.bits:
            # The front ends here, which no bound for this latency alone can tell.
            bound_bits = self._least_and_bound[1]
        claim = f"count claims the bound {{bound}} s within {limit} bits, but its own placement"
        settled_s = settled_bound(best.latency_s, bound_s, claim)
        return SharedPoint.of(best, limit, settled_s, bound_bits)

    def _fewest_bits(
        self, start: CheckedPlacement, known_bits: int
    ) -> tuple[CheckedPlacement, int]:
        """Run the model for shared data; return the best placement and a bound, in bits.

        `known_bits` is a lower bound that is known without the run.
        """
        found, bound = self._run(start, replace(self._options, mip_gap=0.0))
        best = min(start, found, key=lambda placed: placed.bits)
        units = ceil(known_bits / self.unit)
        if bound is not None:
            units = max(units, ceil(bound - WHOLE_TOLERANCE))
        if units * self.unit > best.bits:
            raise ResultError(
                f"count claims the bound {units * self.unit} bits, but shares {best.bits}"
            )
        return best, units * self.unit

    def _run(
        self, start: CheckedPlacement, options: SolverOptions
    ) -> tuple[CheckedPlacement, float | None]:
        """Run the model as it stands from a placement; return what it found, and its bound."""
        self._model.set_values(from_document(self._problem, start.document))
        run = run_solver(self._model.pyomo_model, options, start=True)
        refuse_interrupted(run.termination)
        if run.status is SolutionStatus.INFEASIBLE:
            raise ResultError("count claims that no placement keeps limits which a known one keeps")
        if run.status is SolutionStatus.NONE:
            return start, run.bound
        document = to_document(self._problem, self._model.placement())
        return checked(self._problem.instance, document, "count"), run.bound


def _highest(bound_s: float | None, known_s: float) -> float:
    return known_s if bound_s is None else max(bound_s, known_s)
