"""What is to be placed: networks, fleets, requests and caps, in names and as arrays."""

from optmodel.problem.arrays import (
    BANDWIDTH,
    COMPUTE,
    MEMORY,
    TRANSFERS,
    BoolArray,
    FloatArray,
    IntArray,
    LayerTask,
    Problem,
    RequestTask,
    Transfer,
)
from optmodel.problem.budget_ledger import BudgetLedger, how_many_fit, remaining_instance
from optmodel.problem.coarse_fleet import FEW_KINDS, MOST_GROUPS, with_fewer_kinds
from optmodel.problem.fleet import Fleet, NodeGroup
from optmodel.problem.instance import (
    FleetDocument,
    Instance,
    Node,
    Request,
    digest,
    read_fleet,
    read_instance,
)
from optmodel.problem.map_sizes import SlidingWindow
from optmodel.problem.network import (
    ActLayer,
    ConvLayer,
    Count,
    FcLayer,
    Identifier,
    Layer,
    Network,
    PoolLayer,
)
from optmodel.problem.privacy import envelope, exact
from optmodel.problem.ssim import SsimMeasurement, SsimRow, SsimTable
from optmodel.problem.stage_cut import StageCut, broadcast_bits, stage_cuts

__all__ = [
    "BANDWIDTH",
    "COMPUTE",
    "FEW_KINDS",
    "MEMORY",
    "MOST_GROUPS",
    "TRANSFERS",
    "ActLayer",
    "BoolArray",
    "BudgetLedger",
    "ConvLayer",
    "Count",
    "FcLayer",
    "Fleet",
    "FleetDocument",
    "FloatArray",
    "Identifier",
    "Instance",
    "IntArray",
    "Layer",
    "LayerTask",
    "Network",
    "Node",
    "NodeGroup",
    "PoolLayer",
    "Problem",
    "Request",
    "RequestTask",
    "SlidingWindow",
    "SsimMeasurement",
    "SsimRow",
    "SsimTable",
    "StageCut",
    "Transfer",
    "broadcast_bits",
    "digest",
    "envelope",
    "exact",
    "how_many_fit",
    "read_fleet",
    "read_instance",
    "remaining_instance",
    "stage_cuts",
    "with_fewer_kinds",
]
