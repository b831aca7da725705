"""Sums that grow while a run goes on; none of them grows with the number of requests."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from benchmarks.simulate.arrivals import MICROSECONDS
from benchmarks.simulate.outcome import NetworkShare, SimulationOutcome, Utilisation
from heuristics.scheduler.present_fleet import NodeLoad
from optmodel.problem import FleetDocument, Node


@dataclass(frozen=True)
class ServedPlacement:
    """A placement that runs."""

    network: str
    start_us: int
    latency_s: float
    """What it takes (Eq. 5), in seconds."""
    bound_s: float
    """What any placement takes at least, in seconds."""
    computing_s: float
    """What it would take if sending took no time, in seconds."""
    reserved: dict[str, NodeLoad]
    """Bytes, multiplications and bits by node id."""

    @property
    def duration_us(self) -> int:
        """What it takes, in whole microseconds."""
        return round(self.latency_s * MICROSECONDS)


class Tally:
    """Adds up what becomes of requests, by network; the fleet is that at first."""

    def __init__(self, fleet: FleetDocument) -> None:
        self.fleet = fleet
        self.restarted = 0
        self._sums: dict[str, Counter[str]] = {network.id: Counter() for network in fleet.networks}
        self._slowest_s, self._end_us = 0.0, 0
        self._computed: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._held: defaultdict[str, float] = defaultdict(float)

    def came(self, network: str) -> None:
        """Count a request that comes."""
        self._sums[network]["submitted"] += 1

    def rejected_first(self, network: str) -> None:
        """Count a request without a place when it came."""
        self._sums[network]["rejected_first"] += 1

    def begun(self, service: ServedPlacement) -> None:
        """Count what a placement that begins sends and computes."""
        for node, (_, multiplications, bits) in service.reserved.items():
            self._computed[node] += multiplications
            self._sent[node] += bits
            self._sums[service.network]["shared_bits"] += bits

    def returned(self, service: ServedPlacement, now_us: int) -> None:
        """Count how long a placement held its memory."""
        seconds = (now_us - service.start_us) / MICROSECONDS
        for node, (memory, _, _) in service.reserved.items():
            self._held[node] += memory * seconds

    def ended(self, service: ServedPlacement, arrival_us: int, now_us: int) -> None:
        """Count a request that ran to its end."""
        waiting_s = (service.start_us - arrival_us) / MICROSECONDS
        latency_s = waiting_s + service.latency_s
        self._sums[service.network].update(  # type: ignore[call-overload]
            served=1,
            waiting_s=waiting_s,
            latency_s=latency_s,
            computing_s=service.computing_s,
            bound_s=service.bound_s,
        )
        self._slowest_s, self._end_us = max(self._slowest_s, latency_s), now_us

    def outcome(self, interrupted: int) -> SimulationOutcome:
        """Return what the run was like."""
        devices = self.fleet.devices
        families = sorted({one.family for one in devices})
        return SimulationOutcome(
            networks={name: NetworkShare(**sums) for name, sums in self._sums.items()},
            interrupted=interrupted,
            restarted=self.restarted,
            slowest_s=self._slowest_s,
            end_s=self._end_us / MICROSECONDS,
            families={
                name: self._utilisation([one for one in devices if one.family == name])
                for name in families
            },
        )

    def _utilisation(self, devices: list[Node]) -> Utilisation:
        end_s = self._end_us / MICROSECONDS
        computed = sum(self._computed[one.id] for one in devices)
        sent = sum(self._sent[one.id] for one in devices)
        held = sum(self._held[one.id] for one in devices)
        return Utilisation(
            devices=len(devices),
            compute_share=_share(computed, end_s * sum(one.compute_mult_per_s for one in devices)),
            memory_share=_share(held, end_s * sum(one.memory_bytes for one in devices)),
            sending_share=_share(sent, end_s * sum(one.rate_bits_per_s for one in devices)),
        )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
