"""Pareto fronts of one request: latency against tolerance, latency against shared data."""

from optmodel.pareto.one_request import NothingFound, is_settled
from optmodel.pareto.privacy_price import PrivacyPrice, price_of_privacy, without_caps
from optmodel.pareto.shared_data import shared_data_front
from optmodel.pareto.shared_point import MOST_COUNTED, SharedPoint
from optmodel.pareto.tolerance_front import ToleranceStep, breakpoints, front, tolerance_steps

__all__ = [
    "MOST_COUNTED",
    "NothingFound",
    "PrivacyPrice",
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
