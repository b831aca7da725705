"""What a stage needs to know of the nodes that send to it: the sender signature.

A node receives from all senders other than itself at once, so the slowest of them decides. Two
senders of the slowest rate are the slowest to every node; a single slowest sender is not received
by itself, which hears the next slowest only.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Signature:
    """An upper bound on who sends: fewer or faster senders never make a stage slower.

    Attributes
    ----------
    rate : float
        Every sender has at least this rate, in bits per second.
    alone : int or None
        Group of one node that may send at that rate while no other node does; None if any number
        of nodes may.
    others : float or None
        With `alone`: least rate of the other senders; None if that node sends alone.
    """

    rate: float
    alone: int | None = None
    others: float | None = None

    def admits(self, rate: float) -> bool:
        """Tell whether any node of that rate may be among the senders."""
        if self.alone is None:
            return rate >= self.rate
        return self.others is not None and rate >= self.others


def signatures(rates: dict[int, float], single: bool) -> list[Signature]:
    """Return the signatures of a layer that nodes of these groups may compute.

    Parameters
    ----------
    rates : dict of int to float
        Rate of each group that may host the layer.
    single : bool
        Whether one node must compute the whole layer.
    """
    distinct = sorted(set(rates.values()))
    together = [] if single else [Signature(rate) for rate in distinct]
    alone = [
        Signature(rate, group, others)
        for group, rate in rates.items()
        for others in (None, *(() if single else (r for r in distinct if r > rate)))
    ]
    return [*together, *alone]
