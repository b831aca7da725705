"""Who computes what: placements, what they cost (Eq. 5-7), and the solution file."""

from optmodel.placement.bare_placement import with_flows
from optmodel.placement.costed import CostedPlacement
from optmodel.placement.evaluate import (
    Evaluation,
    RequestEvaluation,
    evaluate,
    evaluate_request,
    transfer_bits,
)
from optmodel.placement.placement import Flows, Placement, RequestPlacement, expanded, restricted
from optmodel.placement.report import (
    PROVEN_GAP,
    facts,
    infeasible_because,
    latency_text,
    milliseconds,
    percent,
    print_solution,
    rejections,
    request_table,
)
from optmodel.placement.request_class import RequestClass, alone, classes_of
from optmodel.placement.solution import (
    Admission,
    PlacedRequest,
    PlacementDocument,
    Rejection,
    RequestLatency,
    Seconds,
    Solution,
    SolutionStatus,
    Termination,
    TracePoint,
    read_solution,
    read_solution_or_placement,
    relative_gap,
)
from optmodel.placement.translate import from_document, read_request, to_document, write_request

__all__ = [
    "PROVEN_GAP",
    "Admission",
    "CostedPlacement",
    "Evaluation",
    "Flows",
    "PlacedRequest",
    "Placement",
    "PlacementDocument",
    "Rejection",
    "RequestClass",
    "RequestEvaluation",
    "RequestLatency",
    "RequestPlacement",
    "Seconds",
    "Solution",
    "SolutionStatus",
    "Termination",
    "TracePoint",
    "alone",
    "classes_of",
    "evaluate",
    "evaluate_request",
    "expanded",
    "facts",
    "from_document",
    "infeasible_because",
    "latency_text",
    "milliseconds",
    "percent",
    "print_solution",
    "read_request",
    "read_solution",
    "read_solution_or_placement",
    "rejections",
    "relative_gap",
    "request_table",
    "restricted",
    "to_document",
    "transfer_bits",
    "with_flows",
    "write_request",
]
