"""Decisions about one request at a time, with no knowledge of those to come."""

from optmodel.online.algorithm1 import Algorithm1
from optmodel.online.filling import OpenLayer, fill
from optmodel.online.layer_filler import LayerFiller, Senders
from optmodel.online.least_nrm import BITS_PER_MEGABIT, Weights
from optmodel.online.lookahead import Lookahead
from optmodel.online.outcome import NoPlaceError, Outcome
from optmodel.online.stage_paths import TOLERANCE, StagePaths
from optmodel.online.start import offer_start

__all__ = [
    "BITS_PER_MEGABIT",
    "TOLERANCE",
    "Algorithm1",
    "LayerFiller",
    "Lookahead",
    "NoPlaceError",
    "OpenLayer",
    "Outcome",
    "Senders",
    "StagePaths",
    "Weights",
    "fill",
    "offer_start",
]
