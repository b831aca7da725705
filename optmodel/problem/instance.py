"""One problem as a JSON file: devices, sources, networks, requests, SSIM table, budgets.

A file without requests describes a fleet that serves requests as they come.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from optmodel.ground.json_files import SchemaVersion, StrictModel, read_model
from optmodel.ground.rule_errors import RuleError, refuse_repeated
from optmodel.problem.network import FcLayer, Identifier, Network
from optmodel.problem.ssim import SsimTable

Rate = Annotated[float, Field(ge=1e-3, le=1e18)]
Duration = Annotated[float, Field(gt=0, le=1e18)]
Budget = Annotated[float, Field(ge=0, le=1e18)]
MOST_UNEVEN = 1e9
"""How many times faster than the slowest node the fastest may be, in speed and in rate: beyond,
solvers in floats take what the fast ones do for nothing."""


class Node(StrictModel):
    """A device with a speed, a rate, and budgets for the batch (Section II-B)."""

    id: Identifier
    """Name of the node, unique among devices and sources."""
    family: Identifier
    """Kind of hardware, for tables and plots."""
    compute_mult_per_s: Rate
    """Compute speed e, in multiplications per second; at least a billionth of the fastest one's."""
    rate_bits_per_s: Rate
    """Transmission rate rho, in bits per second; at least a billionth of the fastest one's."""
    memory_bytes: Budget
    """Memory for weights, in bytes (8b)."""
    compute_budget_mult: Budget
    """Multiplications that the node may run for the batch (8c)."""
    bandwidth_budget_bits: Budget
    """Bits that the node may send for the batch (8d)."""


class Request(StrictModel):
    """One image to be classified."""

    id: Identifier
    """Name of the request, unique in the instance."""
    source: Identifier
    """The source (camera) that holds the image."""
    network: Identifier
    """The network that classifies it."""
    tolerated_ssim: Annotated[float, Field(ge=-1, le=1)]
    """Largest similarity of a recovered image that the user accepts."""


class FleetDocument(StrictModel):
    """Helpers, cameras, networks and measured leakage: all that requests are placed on."""

    schema_version: SchemaVersion
    """Version of this format."""
    name: Identifier
    """Name of the instance."""
    description: Annotated[str, Field(max_length=2000)]
    """What the instance shows."""
    word_bits: Annotated[int, Field(ge=8, le=1024, multiple_of=8)]
    """Bits of one stored weight or transmitted value."""
    period_s: Duration
    """Scheduling period tau, in seconds, for which the budgets hold."""
    unattainable: Literal["reject", "source"]
    """What to do with maps of which no share is safe: refuse the request, or keep the layers
    that receive them on the source."""
    devices: Annotated[tuple[Node, ...], Field(min_length=1)]
    """The helpers, untrusted."""
    sources: Annotated[tuple[Node, ...], Field(min_length=1)]
    """The cameras, trusted with their own images."""
    networks: Annotated[tuple[Network, ...], Field(min_length=1)]
    """The CNNs that requests use."""
    ssim_table: SsimTable
    """Measured leakage, from which caps and split points follow."""
    requests: tuple[Request, ...] = ()
    """The batch, in order of arrival; whoever serves requests as they come ignores it."""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse_repeated("devices", "id", (d.id for d in self.devices))
        refuse_repeated("sources", "id", (s.id for s in self.sources))
        refuse_repeated("networks", "id", (n.id for n in self.networks))
        refuse_repeated("requests", "id", (r.id for r in self.requests))
        devices = {d.id for d in self.devices}
        for index, source in enumerate(self.sources):
            if source.id in devices:
                raise RuleError(
                    f"sources[{index}].id", "a name that no device has", repr(source.id), "rename"
                )
        return self

    @model_validator(mode="after")
    def _rates_are_comparable(self) -> Self:
        for field in ("compute_mult_per_s", "rate_bits_per_s"):
            fastest = max(getattr(node, field) for node in self.nodes)
            for k, node in enumerate(self.nodes):
                if getattr(node, field) * MOST_UNEVEN < fastest:
                    index = k - len(self.devices)
                    raise RuleError(
                        f"devices[{k}].{field}" if index < 0 else f"sources[{index}].{field}",
                        f"at least {fastest / MOST_UNEVEN:g} (a billionth of the fastest node's)",
                        f"{getattr(node, field):g}",
                        "correct it or leave the node out",
                    )
        return self

    @model_validator(mode="after")
    def _references_resolve(self) -> Self:
        for index, request in enumerate(self.requests):
            self.refuse_unknown(request, f"requests[{index}]")
        return self

    @model_validator(mode="after")
    def _ssim_rows_exist(self) -> Self:
        rows = {row.row for row in self.ssim_table.rows}
        for n, network in enumerate(self.networks):
            for k, layer in enumerate(network.layers):
                if not isinstance(layer, FcLayer) and layer.ssim_row not in rows:
                    raise RuleError(
                        f"networks[{n}].layers[{k}].ssim_row",
                        f"a row of the SSIM table ({_some(rows)})",
                        repr(layer.ssim_row),
                        "correct it or add the row",
                    )
        return self

    def refuse_unknown(self, request: Request, name: str) -> None:
        """Raise a `RuleError` if a request names a source or network that is not here.

        `name` stands for it in the message.
        """
        known = {
            "source": {s.id for s in self.sources},
            "network": {n.id for n in self.networks},
        }
        for field, ids in known.items():
            asked = getattr(request, field)
            if asked not in ids:
                raise RuleError(
                    f"{name}.{field}",
                    f"the id of a {field} ({_some(ids)})",
                    repr(asked),
                    f"correct it or add the {field}",
                )

    def with_requests(self, requests: tuple[Request, ...]) -> "Instance":
        """Return the instance of these requests on this fleet, not validated anew."""
        return Instance.model_construct(**{**dict(self), "requests": requests})

    def without_requests(self) -> "FleetDocument":
        """Return the fleet alone."""
        return FleetDocument.model_construct(**{**dict(self), "requests": ()})

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Helpers, then sources: the order of every array over nodes."""
        return self.devices + self.sources

    def network_of(self, request: Request) -> Network:
        """Return the network that a request uses."""
        return next(n for n in self.networks if n.id == request.network)


class Instance(FleetDocument):
    """A batch of requests to be placed on a fleet of helpers."""

    requests: Annotated[tuple[Request, ...], Field(min_length=1)]
    """The batch, in order of arrival."""


def _some(names: set[str]) -> str:
    """Return a few names of a set, for a message."""
    shown = sorted(names)[:5]
    return ", ".join(shown) + (", ..." if len(names) > len(shown) else "")


def read_instance(path: Path) -> Instance:
    """Read and validate an instance.

    Raises
    ------
    InputError
        If the file cannot be read or breaks a rule; the message names the field.
    """
    return read_model(path, Instance)


def read_fleet(path: Path) -> FleetDocument:
    """Read and validate a fleet; an instance serves as well, its requests are left out.

    Raises
    ------
    InputError
        If the file cannot be read or breaks a rule; the message names the field.
    """
    return read_model(path, FleetDocument).without_requests()


def digest(instance: FleetDocument) -> str:
    """Return the SHA-256 of an instance's content, whatever the layout of its file."""
    return hashlib.sha256(instance.model_dump_json().encode()).hexdigest()
