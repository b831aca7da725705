"""What one simulated run was like."""

from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from optmodel.ground.json_files import StrictModel
from optmodel.ground.rule_errors import RuleError

Amount = Annotated[float, Field(ge=0)]
Number = Annotated[int, Field(ge=0)]


class Utilisation(StrictModel):
    """How much of a family is used, averaged over its devices and the time of the run."""

    devices: Number
    """Devices of the family in the fleet."""
    compute_share: Amount
    """Multiplications done, over those that the devices could do in the time; above 1, requests
    that run at the same time share a processor that Eq. 5 gives to each of them."""
    memory_share: Annotated[float, Field(ge=0, le=1)]
    """Memory reserved, over the memory there is."""
    sending_share: Amount
    """Bits sent, over those that the devices could send in the time."""


class Timing(StrictModel):
    """What deciding took; differs from run to run."""

    events: Number
    """Events answered."""
    total_s: Amount
    """Seconds for all of them."""
    slowest_s: Amount
    """Seconds for the slowest."""


class NetworkShare(StrictModel):
    """What became of the requests for one network. Sums are over those that were served."""

    submitted: Number = 0
    """Requests that came."""
    rejected_first: Number = 0
    """Requests without a place when they came."""
    served: Number = 0
    """Requests that ran to their end."""
    latency_s: Amount = 0.0
    """Seconds from coming to being served, waiting included."""
    waiting_s: Amount = 0.0
    """Of these, seconds before the placement that served it began."""
    computing_s: Amount = 0.0
    """Seconds of Eq. 5 if sending took no time."""
    bound_s: Amount = 0.0
    """Certified lower bound on the latency: no placement on the same devices is faster."""
    shared_bits: Number = 0
    """Bits sent between nodes, over all placements that began to run."""

    @model_validator(mode="after")
    def _is_part_of_those_that_came(self) -> Self:
        for name in ("rejected_first", "served"):
            if getattr(self, name) > self.submitted:
                raise RuleError(
                    name,
                    f"at most the {self.submitted} submitted",
                    str(getattr(self, name)),
                    "correct it",
                )
        return self

    @property
    def unserved(self) -> int:
        """Requests never served: no device was free enough, however long they waited."""
        return self.submitted - self.served

    @property
    def service_s(self) -> float:
        """Latency of Eq. 5, summed over served requests, in seconds."""
        return self.latency_s - self.waiting_s

    @classmethod
    def over(cls, shares: Iterable["NetworkShare"]) -> "NetworkShare":
        """Return the sum of shares."""
        found = [one.model_dump() for one in shares]
        return cls(**{name: sum(one[name] for one in found) for name in cls.model_fields})


class SimulationOutcome(StrictModel):
    """What a run was like."""

    networks: dict[str, NetworkShare]
    """What became of the requests, by network."""
    interrupted: Number
    """How often a running request lost its place with a device and had to wait."""
    restarted: Number
    """How often a running request began anew, its segments moved to another device."""
    slowest_s: Amount
    """Seconds of the slowest request, waiting included."""
    end_s: Amount
    """When the last request ended."""
    families: dict[str, Utilisation]
    """How much of the devices was used, by family."""

    @cached_property
    def all(self) -> NetworkShare:
        """What became of all requests."""
        return NetworkShare.over(self.networks.values())
