"""Place requests online, one after the other, and improve any placement.

from heuristics import place
from optmodel import read_instance

solution = place(read_instance(Path("lenet.json")), "lookahead")
"""

from typing import TYPE_CHECKING

from optmodel.ground.lazy_face import offer

if TYPE_CHECKING:
    from heuristics.improvement import improve, improve_solution
    from heuristics.policies import make_policy, place
    from heuristics.policy import PlacementPolicy, place_all
    from heuristics.scheduler import OnlineScheduler
    from optmodel.online import Algorithm1, LookaheadPolicy

__all__ = [
    "Algorithm1",
    "LookaheadPolicy",
    "OnlineScheduler",
    "PlacementPolicy",
    "improve",
    "improve_solution",
    "make_policy",
    "place",
    "place_all",
]

offer(
    __name__,
    {
        "heuristics.improvement": "improve improve_solution",
        "heuristics.policies": "make_policy place",
        "heuristics.policy": "PlacementPolicy place_all",
        "heuristics.scheduler": "OnlineScheduler",
        "optmodel.online": "Algorithm1 LookaheadPolicy",
    },
)
