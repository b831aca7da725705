"""What is to be placed: networks, fleets, requests and caps, in names and as arrays."""

from optmodel.problem.arrays import (
    TRANSFERS,
    BoolArray,
    FloatArray,
    IntArray,
    LayerTask,
    Problem,
    RequestTask,
    Transfer,
)
from optmodel.problem.coarse import FEW_KINDS, MOST_GROUPS, with_fewer_kinds
from optmodel.problem.fleet import Fleet, NodeGroup
from optmodel.problem.geometry import Window
from optmodel.problem.instance import (
    FleetDocument,
    Instance,
    Node,
    Request,
    digest,
    read_fleet,
    read_instance,
)
from optmodel.problem.ledger import BudgetLedger, remaining_instance
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
    "FEW_KINDS",
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
    "SsimMeasurement",
    "SsimRow",
    "SsimTable",
    "StageCut",
    "Transfer",
    "Window",
    "broadcast_bits",
    "digest",
    "envelope",
    "exact",
    "read_fleet",
    "read_instance",
    "remaining_instance",
    "stage_cuts",
    "with_fewer_kinds",
]
