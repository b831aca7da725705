"""Variables of the CP-SAT model: those of the count formulation, but for products with senders.

Indices: r request, l layer, i and j nodes; all from 0.
"""

from dataclasses import dataclass, field

from ortools.sat.python.cp_model import CpModel, IntVar

from optmodel.cpsat.cpsat_ticks import CpsatTicks
from optmodel.milp import groups, layers, transitions
from optmodel.placement import Admission
from optmodel.problem import Problem


@dataclass(frozen=True)
class CpsatVariables:
    """The variables of one model, by index."""

    served: dict[int, IntVar] = field(default_factory=dict)
    """served[r] = 1 iff request r is served; fixed to 1 under admission "all"."""
    x: dict[tuple[int, int, int], IntVar] = field(default_factory=dict)
    """Segments of layer l on node i; at most cap (8f) and what the horizon of the ticks allows."""
    sender: dict[tuple[int, int, int], IntVar] = field(default_factory=dict)
    """min(1, x[r, l, i]) after a conv or fc (Eq. 6)."""
    copies: dict[tuple[int, int, int], IntVar] = field(default_factory=dict)
    """Maps that i sends to all others after a conv or fc."""
    moved: dict[tuple[int, int, int, int], IntVar] = field(default_factory=dict)
    """Maps that i hands to j after an act or pool."""
    whole: dict[tuple[int, int, int], IntVar] = field(default_factory=dict)
    """1 iff node i holds all segments of the first fc (8g)."""
    largest: dict[tuple[int, int, int], IntVar] = field(default_factory=dict)
    """At least the count of every node of group g, `optmodel.milp.count.host_groups`."""
    T: dict[tuple[int, int], IntVar] = field(default_factory=dict)
    """Latency of layer l in ticks, rounded down (Eq. 5)."""


def add_variables(
    model: CpModel, problem: Problem, ticks: CpsatTicks, admission: Admission
) -> CpsatVariables:
    """Add all variables; nodes that may not host a layer (8h) get none."""
    v = CpsatVariables()
    for r in range(len(problem.tasks)):
        # Fixed to 1 where every request must be served.
        v.served[r] = model.new_int_var(int(admission == "all"), 1, f"served[{r}]")
    for r, k, layer in layers(problem):
        v.T[r, k] = model.new_int_var(0, ticks.latest(r, k), f"T[{r},{k}]")
        for i in layer.hosts:
            v.x[r, k, i] = model.new_int_var(0, ticks.most(r, k, i), f"x[{r},{k},{i}]")
            if layer.whole:
                v.whole[r, k, i] = model.new_bool_var(f"whole[{r},{k},{i}]")
    for g in groups(problem):
        name = f"largest[{g.r},{g.k},{g.number}]"
        most = ticks.most(g.r, g.k, g.nodes[0])
        v.largest[g.r, g.k, g.number] = model.new_int_var(0, most, name)
    _add_transfers(model, problem, ticks, v)
    return v


def _add_transfers(model: CpModel, problem: Problem, ticks: CpsatTicks, v: CpsatVariables) -> None:
    for r, k, layer, following in transitions(problem, "broadcast"):
        for i in layer.hosts:
            v.sender[r, k, i] = model.new_bool_var(f"sender[{r},{k},{i}]")
            v.copies[r, k, i] = model.new_int_var(0, following.segments, f"copies[{r},{k},{i}]")
    for r, k, layer, following in transitions(problem, "mapwise"):
        for i in layer.hosts:
            for j in following.hosts:
                # Neither end holds more within the horizon.
                most = min(ticks.most(r, k, i), ticks.most(r, k + 1, j))
                v.moved[r, k, i, j] = model.new_int_var(0, most, f"moved[{r},{k},{i},{j}]")
