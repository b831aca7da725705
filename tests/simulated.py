"""A fleet so small that a simulation on it can be worked out by hand."""

from benchmarks.simulate.arrivals import DueEvent
from heuristics.scheduler.events import DieEvent, Event, JoinEvent, LeaveEvent, SubmitEvent
from instances.cnns import Conv, Fc, trace
from instances.ssim import TABLE_I, read_ssim_table
from optmodel.problem.instance import FleetDocument, Node, Request

LATENCY_US = 288 + 1024 + 512 + 96
"""Of a request on device `a`. The camera convolves: 9 weights x 2 maps x 16 pixels are 288
multiplications at 1 per microsecond, and sends the 2 maps of 512 bits at 1 bit per microsecond. The
device's ReLU costs nothing; it sends both maps at 2 bits per microsecond. The camera's fc takes
32 inputs x 3 outputs."""
SHARED_BITS = 1024 + 1024

NETWORK = trace("tiny", 1, 4, [Conv("1", 2, 3, "MNIST Conv1"), Fc("1", 3)])


def node(name: str, rate: float = 1e6, sends_at_once_bits: float = 1e9) -> Node:
    return Node(
        id=name,
        family="pi",
        compute_mult_per_s=1e6,
        rate_bits_per_s=rate,
        memory_bytes=1e6,
        compute_budget_mult=1e9,
        bandwidth_budget_bits=sends_at_once_bits,
    )


A = node("a", 2e6, 1500.0)
"""Has room for one request at a time: each sends 1024 of the 1500 bits."""
B = node("b", 1e6, 1500.0)
"""Sends at half the rate: a request takes 512 microseconds longer."""


def fleet(*devices: Node) -> FleetDocument:
    return FleetDocument(
        schema_version=1,
        name="by hand",
        description="",
        word_bits=32,
        period_s=1.0,
        unattainable="reject",
        devices=devices,
        sources=(node("camera-1"),),
        networks=(NETWORK,),
        ssim_table=read_ssim_table(TABLE_I),
    )


def comes(name: str, time_us: int) -> DueEvent:
    """The request tolerates every similarity, so that no map is at risk."""
    request = Request(id=name, source="camera-1", network="tiny", tolerated_ssim=1.0)
    return DueEvent(time_us, SubmitEvent(event="submit", request=request))


def fails(device: str, time_us: int) -> DueEvent:
    return DueEvent(time_us, DieEvent(event="die", device=device))


def leaves(device: str, time_us: int) -> DueEvent:
    return DueEvent(time_us, LeaveEvent(event="leave", device=device))


def joins(device: Node, time_us: int) -> DueEvent:
    event: Event = JoinEvent(event="join", device=device)
    return DueEvent(time_us, event)
