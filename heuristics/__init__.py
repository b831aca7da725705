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
        "Algorithm1": "optmodel.online",
        "LookaheadPolicy": "optmodel.online",
        "PlacementPolicy": "heuristics.policy",
        "OnlineScheduler": "heuristics.scheduler",
        "improve": "heuristics.improvement",
        "improve_solution": "heuristics.improvement",
        "make_policy": "heuristics.policies",
        "place": "heuristics.policies",
        "place_all": "heuristics.policy",
    },
)
