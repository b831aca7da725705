"""What the trade-off benchmark computes: curves of one request, on a fleet, under an SSIM table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random
from typing import Literal

from instances.devices import fleet_families
from instances.generate import Policy, Recipe, generate
from optmodel.problem import Instance

Kind = Literal["tolerance", "shared", "price"]
KINDS: tuple[Kind, ...] = ("tolerance", "shared", "price")
"""Latency against tolerance, latency against shared data, and the price of privacy."""


@dataclass(frozen=True)
class TradeoffCase:
    """One curve, or one price.

    Attributes
    ----------
    kind : {"tolerance", "shared", "price"}
        What is asked.
    network, fleet : str
        As `instances.generate` names them.
    devices : int
        Number of helpers.
    tolerated_ssim : float or None
        Of the request; None for a curve over all tolerances.
    ssim : Path
        SSIM table.
    policy : {"reject", "source"}
        What becomes of layers that receive maps of which no share is safe.
    """

    kind: Kind
    network: str
    fleet: str
    devices: int
    tolerated_ssim: float | None
    ssim: Path
    policy: Policy

    @property
    def name(self) -> str:
        """Network, devices and fleet, as tables and pictures say it."""
        return f"{self.network}, {self.devices} {self.fleet}"

    def instance(self) -> Instance:
        """Return the request on its fleet.

        Raises
        ------
        InputError
            If the network, the fleet or the table is not understood.
        """
        tolerance = Recipe.tolerated_ssim if self.tolerated_ssim is None else self.tolerated_ssim
        recipe = Recipe(
            (self.network,),
            self.fleet,
            self.devices,
            tolerance,
            requests=1,
            ssim=self.ssim,
            unattainable=self.policy,
        )
        parts = (self.network, self.devices, self.fleet, self.ssim.stem, self.policy)
        return generate(recipe, "-".join(map(str, (self.kind, *parts, self.tolerated_ssim or ""))))


@dataclass(frozen=True)
class Choice:
    """What a call of the benchmark asks for.

    Attributes
    ----------
    kinds : sequence of {"tolerance", "shared", "price"}
        Which curves.
    networks, fleets : sequence of str
        As `instances.generate` names them.
    devices, shared_devices : sequence of int
        Numbers of helpers; the second for shared data.
    tolerances : sequence of float
        For shared data and prices.
    ssim : Path
        SSIM table.
    policy : {"reject", "source"}
        As in `TradeoffCase`.
    """

    kinds: Sequence[Kind]
    networks: Sequence[str]
    fleets: Sequence[str]
    devices: Sequence[int]
    shared_devices: Sequence[int]
    tolerances: Sequence[float]
    ssim: Path
    policy: Policy

    def require_fleets(self) -> None:
        """Refuse fleets that are not understood, or that do not fit a number of devices.

        Raises
        ------
        InputError
            Naming the option.
        """
        for kind, fleet in product(self.kinds, self.fleets):
            option, sizes = self._sizes(kind)
            for devices in sizes:
                fleet_families(fleet, devices, Random(0), ("--fleets", option))

    def _sizes(self, kind: Kind) -> tuple[str, Sequence[int]]:
        """Return the numbers of helpers for a kind, and the option that tells them."""
        shared = kind == "shared"
        return ("--shared-devices", self.shared_devices) if shared else ("--devices", self.devices)

    def cases(self) -> Iterator[TradeoffCase]:
        """Yield the cases, kind by kind, network by network."""
        for kind, network, fleet in product(self.kinds, self.networks, self.fleets):
            _, sizes = self._sizes(kind)
            tolerances = (None,) if kind == "tolerance" else self.tolerances
            for devices, tolerance in product(sizes, tolerances):
                yield TradeoffCase(kind, network, fleet, devices, tolerance, self.ssim, self.policy)
