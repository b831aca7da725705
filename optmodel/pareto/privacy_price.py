"""The price of privacy: the optimum with the caps of 8f against the optimum without them."""

from dataclasses import dataclass

from optmodel.pareto.one_request import only_request, refuse_interrupted
from optmodel.placement import Solution
from optmodel.problem import Instance, SsimMeasurement, SsimRow, SsimTable
from optmodel.search import SolverOptions
from optmodel.solving import solve

HARMLESS = -1.0
"""The least similarity there is: safe at every tolerance."""


@dataclass(frozen=True)
class PrivacyPrice:
    """What the promise of one request costs.

    Solved as the instance states it, and free of 8f.
    """

    private: Solution
    free: Solution

    @property
    def added_s(self) -> float | None:
        """Latency that the promise adds, in seconds; None unless both have a placement."""
        if self.private.objective_s is None or self.free.objective_s is None:
            return None
        return self.private.objective_s - self.free.objective_s

    @property
    def share(self) -> float | None:
        """The same as a share of the latency without the promise; None when unknown."""
        if self.added_s is None or not self.free.objective_s:
            return None
        return self.added_s / self.free.objective_s


def without_caps(instance: Instance) -> Instance:
    """Return the instance as if no feature map gave anything away.

    8f then caps nothing and the split point is 0; 8h still keeps the first and the last layer on
    the source, and all others off it.
    """
    most = max(layer.output_maps for network in instance.networks for layer in network.layers)
    harmless = (SsimMeasurement(maps=most, ssim=HARMLESS),)
    rows = tuple(SsimRow(row=r.row, measurements=harmless) for r in instance.ssim_table.rows)
    table = SsimTable(source="nothing at risk", slack=0.0, rows=rows)
    return instance.model_copy(update={"ssim_table": table})


def price_of_privacy(instance: Instance, options: SolverOptions | None = None) -> PrivacyPrice:
    """Solve an instance of one request with 8f and without.

    Raises
    ------
    InputError
        If the instance has several requests.
    KeyboardInterrupt
        On Ctrl-C.
    """
    only_request(instance)
    private, free = solve(instance, "auto", options), solve(without_caps(instance), "auto", options)
    refuse_interrupted(private.termination)
    refuse_interrupted(free.termination)
    return PrivacyPrice(private, free)
