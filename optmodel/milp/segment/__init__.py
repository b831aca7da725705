"""The exact model of Eq. 5-8, one binary per segment and node, as printed in the paper."""

from optmodel.milp.segment.model import SegmentModel

__all__ = ["SegmentModel"]
