"""Decisions about one request at a time, with no knowledge of those to come."""

from optmodel.online.algorithm1 import Algorithm1
from optmodel.online.filling import OpenLayer, fill
from optmodel.online.layer_filler import ArrivalSenders, LayerFiller
from optmodel.online.least_nrm import BITS_PER_MEGABIT, NrmWeights
from optmodel.online.lookahead import LookaheadPolicy
from optmodel.online.outcome import NoPlaceError, PolicyOutcome
from optmodel.online.stage_paths import DECISION_TIME_S, TOLERANCE, StagePaths
from optmodel.online.start import offer_start
from optmodel.online.weighing import PriceWeights

__all__ = [
    "BITS_PER_MEGABIT",
    "DECISION_TIME_S",
    "TOLERANCE",
    "Algorithm1",
    "ArrivalSenders",
    "LayerFiller",
    "LookaheadPolicy",
    "NoPlaceError",
    "NrmWeights",
    "OpenLayer",
    "PolicyOutcome",
    "PriceWeights",
    "StagePaths",
    "fill",
    "offer_start",
]
