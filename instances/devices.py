"""The device families of the paper's Section III, and fleets of them."""

import math
import random
import re
from collections import Counter
from dataclasses import dataclass
from itertools import cycle, islice

from optmodel.ground.rule_errors import InputError
from optmodel.problem import Node

MAX_COUNT = 100_000
"""Most devices, cameras or requests that are generated."""


@dataclass(frozen=True)
class Family:
    """One kind of hardware."""

    name: str
    """Name in instance files and on the command line."""
    compute_mult_per_s: float
    """Multiplications per second; the paper's "560, 800, 40" are millions."""
    rate_bits_per_s: float
    """Transmission rate in bits per second."""
    memory_bytes: float
    """Memory in bytes; the paper's GB and MB are read as decimal."""


FAMILIES = {
    family.name: family
    for family in (
        Family("rpi3", 560e6, 72.2e6, 1e9),
        Family("nexus", 800e6, 72.2e6, 2e9),
        Family("stm32h7", 40e6, 7.2e6, 1e6),
    )
}
"""Raspberry Pi 3, LG Nexus 5 and STM32H7 with the figures of Section III."""

CAMERA = FAMILIES["rpi3"]
"""All cameras are Raspberry Pi 3 (Section III)."""

MIXES = {"mixed": ("rpi3", "nexus", "stm32h7"), "power": ("rpi3", "nexus")}
"""Named fleets: the families that take turns."""

VARIED = "varied"
"""The fleet in which all devices differ, and the family of its devices."""

SHARES = re.compile(r"(\d{1,3})-(\d{1,3})")
"""Fleets such as 70-30: percent powerful (rpi3, nexus in turn), percent small (stm32h7)."""


@dataclass(frozen=True)
class BudgetScales:
    """Factors on the budgets of every node; 1 gives the family's memory, e·tau and rho·tau."""

    memory: float = 1.0
    compute: float = 1.0
    bandwidth: float = 1.0


FLEET_OPTIONS = ("--fleet", "--devices")
"""Options that tell a fleet and its number of devices, where a command does not name its own."""


def fleet_families(
    fleet: str, devices: int | None, draw: random.Random, options: tuple[str, str] = FLEET_OPTIONS
) -> list[Family]:
    """Return the family of each helper.

    Parameters
    ----------
    fleet : str
        A key of `MIXES`, "varied", shares such as "70-30", or counts such as "rpi3=2,stm32h7=1".
    devices : int or None
        Number of helpers; may be left out with counts.
    draw : random.Random
        Where a varied fleet comes from.
    options : tuple of str
        What the command calls the fleet and its number of devices, for messages.

    Raises
    ------
    InputError
        If the fleet is not understood, or does not add up to `devices`.
    """
    if fleet in MIXES:
        return _in_turn(fleet, _required(devices, fleet, options))
    if fleet == VARIED:
        return [_varied(draw) for _ in range(_required(devices, fleet, options))]
    if SHARES.fullmatch(fleet):
        return _shared(fleet, _required(devices, fleet, options), options)
    counts = parse_counts(fleet, options[0], set(FAMILIES))
    families = [FAMILIES[name] for name, count in counts for _ in range(count)]
    if devices not in (None, len(families)):
        raise InputError(
            f"{options[1]}: expected {len(families)} as {options[0]} {fleet} says, got {devices}; "
            "leave one of the two out"
        )
    return families


def _required(devices: int | None, fleet: str, options: tuple[str, str]) -> int:
    if devices is None:
        raise InputError(f"{options[1]}: expected a number with {options[0]} {fleet}, got nothing")
    return devices


def _in_turn(mix: str, devices: int) -> list[Family]:
    return [FAMILIES[name] for name in islice(cycle(MIXES[mix]), devices)]


def _shared(fleet: str, devices: int, options: tuple[str, str]) -> list[Family]:
    """Return the powerful devices, then the small ones."""
    powerful, small = map(int, fleet.split("-"))
    if powerful + small != 100:
        raise InputError(
            f"{options[0]}: expected two percentages that add up to 100, got '{fleet}'; correct it"
        )
    if powerful * devices % 100:
        raise InputError(
            f"{options[1]}: expected a number that {options[0]} {fleet} divides into whole "
            f"devices, got {devices}; change one of the two"
        )
    number = powerful * devices // 100
    return _in_turn("power", number) + [FAMILIES["stm32h7"]] * (devices - number)


def _varied(draw: random.Random) -> Family:
    """Return hardware between the weakest and the strongest family, each figure on its own."""
    fields = ("compute_mult_per_s", "rate_bits_per_s", "memory_bytes")
    return Family(VARIED, *(_between_families(field, draw) for field in fields))


def _between_families(field: str, draw: random.Random) -> float:
    """Draw a figure log-uniformly, to three digits."""
    known = [math.log(getattr(family, field)) for family in FAMILIES.values()]
    return float(f"{math.exp(draw.uniform(min(known), max(known))):.3g}")


def parse_counts(text: str, option: str, known: set[str]) -> list[tuple[str, int]]:
    """Parse "lenet=2,cifar_cnn=1"; a name without a number counts once.

    Raises
    ------
    InputError
        If a name is not known or a number is not a whole number of at least 1.
    """
    counts = []
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name not in known:
            raise InputError(
                f"{option}: expected one of {', '.join(sorted(known))}, got '{name}'; correct it"
            )
        if number and not (number.isdecimal() and int(number) >= 1):
            raise InputError(f"{option}: expected {name}=1 or more, got '{part}'; correct it")
        counts.append((name, int(number or 1)))
    if sum(count for _, count in counts) > MAX_COUNT:
        raise InputError(
            f"{option}: expected at most {MAX_COUNT:,} in all, got '{text}'; correct it"
        )
    return counts


def make_node(family: Family, name: str, period_s: float, scales: BudgetScales) -> Node:
    """Return a node of a family with its budgets for one scheduling period, not yet validated."""
    return Node.model_construct(
        id=name,
        family=family.name,
        compute_mult_per_s=family.compute_mult_per_s,
        rate_bits_per_s=family.rate_bits_per_s,
        memory_bytes=round(family.memory_bytes * scales.memory, 6),
        compute_budget_mult=round(family.compute_mult_per_s * period_s * scales.compute, 6),
        bandwidth_budget_bits=round(family.rate_bits_per_s * period_s * scales.bandwidth, 6),
    )


def make_fleet(families: list[Family], period_s: float, scales: BudgetScales) -> tuple[Node, ...]:
    """Return helpers named by family and number: rpi3-1, nexus-1, stm32h7-1, rpi3-2, ..."""
    made: Counter[str] = Counter()
    nodes = []
    for family in families:
        made[family.name] += 1
        nodes.append(make_node(family, f"{family.name}-{made[family.name]}", period_s, scales))
    return tuple(nodes)


def make_cameras(number: int, period_s: float, scales: BudgetScales) -> tuple[Node, ...]:
    """Return sources named camera-1, camera-2, ..."""
    return tuple(make_node(CAMERA, f"camera-{k}", period_s, scales) for k in range(1, number + 1))
