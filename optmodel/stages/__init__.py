"""One request at a time, stage by stage: exact when budgets are slack, a bound always."""

from optmodel.stages.arcs.arc_numbers import ArcNumbers, ArcPlacement, MapMoves
from optmodel.stages.arcs.cheapest_first import cheapest_first
from optmodel.stages.arcs.counting_bounds import (
    UNREACHABLE,
    first_thresholds,
    held_at_first,
    held_before_last,
    last_thresholds,
    least_work,
    maps_within,
    quick_bound,
)
from optmodel.stages.path_assembler import PathAssembler
from optmodel.stages.request_stage import RequestStage, StageArc, arcs_between, arcs_to, stages_of
from optmodel.stages.sender_signature import ANYBODY, SenderSignature
from optmodel.stages.stage_graph import ArcBook, StageGraph, StagePath
from optmodel.stages.stages_method import (
    MOST_KINDS,
    StageResult,
    solve_alone,
    solve_stages,
)

__all__ = [
    "ANYBODY",
    "MOST_KINDS",
    "UNREACHABLE",
    "ArcBook",
    "ArcNumbers",
    "ArcPlacement",
    "MapMoves",
    "PathAssembler",
    "RequestStage",
    "SenderSignature",
    "StageArc",
    "StageGraph",
    "StagePath",
    "StageResult",
    "arcs_between",
    "arcs_to",
    "cheapest_first",
    "first_thresholds",
    "held_at_first",
    "held_before_last",
    "last_thresholds",
    "least_work",
    "maps_within",
    "quick_bound",
    "solve_alone",
    "solve_stages",
    "stages_of",
]
