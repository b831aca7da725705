"""What decides the results of the benchmarks."""

from dataclasses import replace
from functools import cache

from instances.ssim import TABLE_I
from optmodel.ground.provenance import Origin

SOLVING = Origin(
    code=("optmodel", "heuristics", "instances", "benchmarks.simulate"),
    files=(TABLE_I,),
    installed=("cbcbox", "distprivacy", "highspy", "numpy", "ortools", "pyomo", "pyscipopt"),
)
"""Of what is solved or placed."""


@cache
def simulating(policy: str) -> Origin:
    """Return the origin of simulations; of a policy by its dotted name its package is a part."""
    own = (policy.partition(".")[0],) if "." in policy else ()
    return replace(SOLVING, code=SOLVING.code + own, installed=(*SOLVING.installed, "simpy"))
