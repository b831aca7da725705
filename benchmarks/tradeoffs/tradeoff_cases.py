"""What the trade-off benchmark computes: curves of one request, on a fleet, under an SSIM table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from typing import Literal

from instances.devices import fleet_families
from instances.generate import Recipe, generate
from optmodel.problem import Instance

Kind = Literal["tolerance", "shared", "price"]
KINDS: tuple[Kind, ...] = ("tolerance", "shared", "price")
"""Latency against tolerance, latency against shared data, and the price of privacy."""


@dataclass(frozen=True)
class TradeoffCase:
    """One curve, or one price: what is asked, of one request on a fleet."""

    kind: Kind
    recipe: Recipe

    @property
    def network(self) -> str:
        """Network of the request."""
        return self.recipe.networks[0]

    @property
    def tolerated_ssim(self) -> float | None:
        """Tolerance of the request; None for a curve over all tolerances."""
        return None if self.kind == "tolerance" else self.recipe.tolerances[0]

    @property
    def name(self) -> str:
        """Network, devices and fleet, as tables and pictures say it."""
        return f"{self.network}, {self.recipe.devices} {self.recipe.fleet}"

    def instance(self) -> Instance:
        """Return the request on its fleet.

        Raises
        ------
        InputError
            If the network, the fleet or the table is not understood.
        """
        recipe = self.recipe
        parts = (self.kind, self.network, recipe.devices, recipe.fleet, recipe.ssim.stem)
        named = (*parts, recipe.unattainable, self.tolerated_ssim or "")
        return generate(recipe, "-".join(map(str, named)))


def cases_of(
    kinds: Sequence[Kind],
    networks: Sequence[str],
    fleets: Sequence[str],
    devices: Mapping[str, Sequence[int]],
    tolerances: Sequence[float],
    base: Recipe,
) -> Iterator[TradeoffCase]:
    """Yield the cases, kind by kind, network by network.

    Parameters
    ----------
    kinds, networks, fleets : sequence of str
        What is asked, of which networks, on which fleets.
    devices : mapping of str to sequence of int
        Numbers of helpers, by the option that tells them: --shared-devices, else --devices.
    tolerances : sequence of float
        For shared data and prices.
    base : Recipe
        SSIM table, and what becomes of layers that receive maps of which no share is safe.

    Raises
    ------
    InputError
        If a fleet is not understood, or does not fit a number of devices; it names the option.
    """
    for kind, network, fleet in product(kinds, networks, fleets):
        option = "--shared-devices" if kind == "shared" else "--devices"
        asked = (base.tolerances[0],) if kind == "tolerance" else tolerances
        for number, tolerance in product(devices[option], asked):
            fleet_families(fleet, number, Random(0), ("--fleets", option))
            recipe = replace(
                base,
                networks=(network,),
                fleet=fleet,
                devices=number,
                tolerated_ssim=tolerance,
                requests=1,
            )
            yield TradeoffCase(kind, recipe)
