"""The instances of `instances/measured/`: caps from measured leakage instead of Table I."""

from itertools import product
from pathlib import Path

from instances.generate import Policy, Recipe
from instances.paper_set import ENDINGS, PERIOD_S, TOLERANCES
from instances.set_members import InstanceSet, Member

TABLES = Path(__file__).parent / "tables"
"""The measured SSIM tables that are shipped, NETWORK-DATA-ATTACKER.json."""

VICTIMS = {
    "lenet-mnist": "LeNet on MNIST",
    "lenet-fashion-mnist": "LeNet on Fashion-MNIST",
    "cifar_cnn-cifar10": "the CIFAR network on CIFAR-10",
    "vgg16_truncated-photos": "two blocks of VGG16 on natural photos",
}
"""What was attacked, NETWORK-DATA."""
ATTACKERS = ("paper", "strong")
DEVICES = (20, 70)


def _member(
    victim: str, attacker: str, tolerance: float, devices: int, unattainable: Policy
) -> Member:
    purpose = (
        f"{VICTIMS[victim][0].upper()}{VICTIMS[victim][1:]} against the {attacker} attacker at "
        f"tolerance {tolerance} on {devices} devices{ENDINGS[unattainable]}"
    )
    recipe = Recipe(
        (victim.split("-")[0],),
        "mixed",
        devices,
        tolerance,
        period_s=PERIOD_S,
        ssim=TABLES / f"{victim}-{attacker}.json",
        unattainable=unattainable,
    )
    return Member(f"{victim}-{attacker}-{tolerance}-{devices}-{unattainable}", purpose, recipe)


MEASURED = InstanceSet(
    "measured",
    "Caps from what was measured: every network at the paper's tolerances on fleets of 20 and 70 "
    "devices (Raspberry Pi 3, Nexus 5 and STM32H7 in turn), with the leakage that the paper's "
    "attacker reaches and that which a strong one does. Where no share of the maps is safe the "
    "request is refused, or those layers stay on the source: the pairs of both show what the "
    "promise costs.",
    tuple(_member(*case) for case in product(VICTIMS, ATTACKERS, TOLERANCES, DEVICES, ENDINGS)),
)
"""The members of `instances/measured/`."""
