"""Batches whose requests compete for the budgets: bounds by prices, placements by moves."""

from optmodel.batch.bound.cutting_planes import ROUNDING
from optmodel.batch.bound.price_search import graph_of
from optmodel.batch.bound.sender_graph import SenderGraph
from optmodel.batch.bound.sender_ranges import SenderPlan
from optmodel.batch.engine import BatchEngine, improve_incumbent, run_columns, solve_columns
from optmodel.batch.moves.batch_construction import constructions, offer_constructions
from optmodel.batch.moves.insertion import RequestInsertion
from optmodel.batch.one_request.latency_ladder import LatencyLadders
from optmodel.batch.one_request.planned_placer import PlannedPlacer
from optmodel.batch.one_request.request_spreader import RequestSpreader
from optmodel.batch.one_request.stage_placer import StagePlacer
from optmodel.batch.options import BOUNDS, MOVES, BatchOptions, BoundOptions, PlanOptions
from optmodel.batch.placed_batch import PlacedBatch

__all__ = [
    "BOUNDS",
    "MOVES",
    "ROUNDING",
    "BatchEngine",
    "BatchOptions",
    "BoundOptions",
    "LatencyLadders",
    "PlacedBatch",
    "PlanOptions",
    "PlannedPlacer",
    "RequestInsertion",
    "RequestSpreader",
    "SenderGraph",
    "SenderPlan",
    "StagePlacer",
    "constructions",
    "graph_of",
    "improve_incumbent",
    "offer_constructions",
    "run_columns",
    "solve_columns",
]
