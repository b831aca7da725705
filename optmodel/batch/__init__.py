"""Batches whose requests compete for the budgets: bounds by prices, placements by moves."""

from optmodel.batch.bound.cutting_planes import ROUNDING
from optmodel.batch.bound.priced_graph import PricedGraph
from optmodel.batch.bound.sender_graph import MOST_SENDERS, SenderGraph, ranges_of_senders
from optmodel.batch.bound.sender_sets import SenderPlan
from optmodel.batch.engine import BatchEngine, improve_incumbent, run_columns, solve_columns
from optmodel.batch.moves.batch_construction import constructions, offer_constructions, scarcity
from optmodel.batch.moves.insertion import RequestInsertion
from optmodel.batch.one_request.latency_ladder import LatencyLadders
from optmodel.batch.one_request.planned_placer import PlannedPlacer
from optmodel.batch.one_request.request_spreader import RequestSpreader
from optmodel.batch.one_request.stage_placer import StagePlacer
from optmodel.batch.one_request.stage_share import NoRoom
from optmodel.batch.options import BOUNDS, MOVES, BatchOptions
from optmodel.batch.placed_batch import PlacedBatch

__all__ = [
    "BOUNDS",
    "MOST_SENDERS",
    "MOVES",
    "ROUNDING",
    "BatchEngine",
    "BatchOptions",
    "LatencyLadders",
    "NoRoom",
    "PlacedBatch",
    "PlannedPlacer",
    "PricedGraph",
    "RequestInsertion",
    "RequestSpreader",
    "SenderGraph",
    "SenderPlan",
    "StagePlacer",
    "constructions",
    "improve_incumbent",
    "offer_constructions",
    "ranges_of_senders",
    "run_columns",
    "scarcity",
    "solve_columns",
]
