"""Decisions about one request at a time, with no knowledge of those to come."""

from optmodel.online.algorithm1 import BITS_PER_MEGABIT, Algorithm1, NrmWeights
from optmodel.online.default_start import offer_start
from optmodel.online.known_paths import DECISION_TIME_S, TOLERANCE, KnownPaths
from optmodel.online.layer_filler import (
    ArrivalSenders,
    LayerFiller,
    NoPlaceError,
    OpenLayer,
    fill,
)
from optmodel.online.lookahead import LookaheadPolicy
from optmodel.online.weighing import PriceWeights

__all__ = [
    "BITS_PER_MEGABIT",
    "DECISION_TIME_S",
    "TOLERANCE",
    "Algorithm1",
    "ArrivalSenders",
    "KnownPaths",
    "LayerFiller",
    "LookaheadPolicy",
    "NoPlaceError",
    "NrmWeights",
    "OpenLayer",
    "PriceWeights",
    "fill",
    "offer_start",
]
