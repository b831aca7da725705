"""How often running requests are looked at: after so many events, or seconds of their clock."""

import re
from dataclasses import dataclass

from heuristics.scheduler.events import Event, ReoptimiseEvent
from optmodel.ground.rule_errors import OptionError, RuleError

LATEST_S = 1e11
"""Three thousand years: what is later was counted in milliseconds, or is no time at all."""


@dataclass(frozen=True)
class ReoptimisePeriod:
    """A number of events, or of seconds of their clock."""

    length: float
    in_seconds: bool = False

    @classmethod
    def parse(cls, text: str) -> "ReoptimisePeriod":
        """Read "100" (events) or "60s" (seconds).

        Raises
        ------
        InputError
            If it is neither.
        """
        found = re.fullmatch(r"(\d{1,9})|(\d{1,9}(?:\.\d{1,9})?)s", text)
        length = float(found[1] or found[2]) if found else 0.0
        if found is None or length <= 0:
            raise OptionError(
                "reoptimise_every",
                "expected a number of events such as 100, or seconds of the events' clock such as "
                f"60s, got '{text}'; correct it",
            )
        return cls(length, in_seconds=found[1] is None)

    def require_time(self, event: Event, before: Event | None) -> None:
        """Refuse an event that does not move the clock on, if the period is in seconds.

        Only `reoptimise`, which the clock is for, may set it back.

        Raises
        ------
        RuleError
            If it has no time, or an earlier one than the event before.
        """
        least = 0.0
        if before is not None and not isinstance(event, ReoptimiseEvent):
            least = before.time_s or 0.0
        if self.in_seconds and (event.time_s is None or event.time_s < least):
            raise RuleError(
                "time_s",
                f"seconds, at least {least:g}, for --reoptimise-every counts them",
                "nothing" if event.time_s is None else f"{event.time_s:g}",
                "send events in order, each with its time; 'reoptimise' may set the clock back",
            )

    def ends(self, number: int, event: Event, before: Event | None) -> bool:
        """Tell whether a period ends with an event of this number, given the event before."""
        if not self.in_seconds:
            return number % int(self.length) == 0
        if before is None or before.time_s is None or event.time_s is None:
            return False
        # Periods are counted from 0 on the clock, so that a restart does not shift them.
        return event.time_s // self.length > before.time_s // self.length


def require_known_time(event: Event) -> None:
    """Refuse a time after which no event could come.

    Raises
    ------
    RuleError
        If it is later than clocks show.
    """
    if event.time_s is not None and event.time_s > LATEST_S:
        raise RuleError(
            "time_s", f"seconds, at most {LATEST_S:g}", f"{event.time_s:g}", "send it in seconds"
        )
