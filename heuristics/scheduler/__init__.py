"""Requests come and go, devices join, leave and die: every reservation is kept, and every gap told.

`Scheduler` is the Python interface; `heuristics.scheduler.serve` speaks it in JSON lines.
"""

from heuristics.scheduler.decision import Decision, Standing
from heuristics.scheduler.scheduler import Scheduler

__all__ = ["Decision", "Scheduler", "Standing"]
