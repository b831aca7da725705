"""Who computes what: placements, what they cost (Eq. 5-7), and the solution file."""

from optmodel.placement.bare_placement import with_flows
from optmodel.placement.costed_placement import CostedPlacement
from optmodel.placement.evaluate import (
    Evaluation,
    evaluate,
    evaluate_request,
    transfer_bits,
)
from optmodel.placement.named_placement import (
    from_document,
    read_request,
    to_document,
    write_request,
)
from optmodel.placement.placement import (
    Flows,
    Placement,
    RequestPlacement,
    expanded,
    read_counts,
)
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
    "read_counts",
    "read_request",
    "read_solution",
    "read_solution_or_placement",
    "rejections",
    "relative_gap",
    "request_table",
    "to_document",
    "transfer_bits",
    "with_flows",
    "write_request",
]
