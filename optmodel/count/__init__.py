"""The exact model of Eq. 5-8 in counts and flows; its size does not grow with the segments."""

from optmodel.count.model import CountModel

__all__ = ["CountModel"]
