"""Requests come and go, devices join, leave and die: every reservation is kept, and every gap told.

`OnlineScheduler` is the Python interface; `heuristics.scheduler.serve` speaks it in JSON lines.
"""

from heuristics.scheduler.decision import RequestStanding, SchedulerDecision
from heuristics.scheduler.scheduler import OnlineScheduler

__all__ = ["OnlineScheduler", "RequestStanding", "SchedulerDecision"]
