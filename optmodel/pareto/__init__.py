"""Pareto fronts of one request: latency against tolerance, latency against shared data."""

from optmodel.pareto.price import Price, price_of_privacy, without_caps
from optmodel.pareto.request import NothingFound, is_settled
from optmodel.pareto.shared_data import shared_data_front
from optmodel.pareto.shared_point import MOST_COUNTED, SharedPoint
from optmodel.pareto.tolerance import ToleranceStep, breakpoints, front, tolerance_steps

__all__ = [
    "MOST_COUNTED",
    "NothingFound",
    "Price",
    "SharedPoint",
    "ToleranceStep",
    "breakpoints",
    "front",
    "is_settled",
    "price_of_privacy",
    "shared_data_front",
    "tolerance_steps",
    "without_caps",
]
