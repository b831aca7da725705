"""One request at a time, stage by stage: exact when budgets are slack, a bound always."""

from optmodel.stages.arcs.arc import ArcNumbers, ArcPlacement
from optmodel.stages.arcs.relaxation import (
    UNREACHABLE,
    first_thresholds,
    held_at_first,
    held_before_last,
    last_thresholds,
    least_work,
    quick_bound,
    room,
)
from optmodel.stages.assemble import PathAssembler
from optmodel.stages.method import (
    MOST_KINDS,
    StageResult,
    solve_alone,
    solve_stages,
)
from optmodel.stages.path import ArcBook, StageGraph, StagePath
from optmodel.stages.signature import ANYBODY, SenderSignature
from optmodel.stages.stage import RequestStage, StageArc, arcs_between, arcs_to, stages_of

__all__ = [
    "ANYBODY",
    "MOST_KINDS",
    "UNREACHABLE",
    "ArcBook",
    "ArcNumbers",
    "ArcPlacement",
    "PathAssembler",
    "RequestStage",
    "SenderSignature",
    "StageArc",
    "StageGraph",
    "StagePath",
    "StageResult",
    "arcs_between",
    "arcs_to",
    "first_thresholds",
    "held_at_first",
    "held_before_last",
    "last_thresholds",
    "least_work",
    "quick_bound",
    "room",
    "solve_alone",
    "solve_stages",
    "stages_of",
]
