"""Fast placements of batches: one request after another on what is left of the budgets."""

from optmodel.greedy.construct import (
    Construction,
    construct,
    constructions,
    offer_constructions,
    scarcity,
)

__all__ = ["Construction", "construct", "constructions", "offer_constructions", "scarcity"]
