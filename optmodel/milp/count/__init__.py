"""The exact model of Eq. 5-8 in counts and flows; its size does not grow with the segments."""

from optmodel.milp.count.model import CountModel
from optmodel.milp.count.shared_data import SharedDataModel, unit_bits

__all__ = ["CountModel", "SharedDataModel", "unit_bits"]
