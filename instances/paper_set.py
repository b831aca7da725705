"""The instances of `instances/paper/`: the paper's CNNs, tolerances, fleet sizes and mixes."""

from itertools import product

from instances.generate import Policy, Recipe
from instances.set_members import InstanceSet, Member

TITLES = {"lenet": "LeNet", "cifar_cnn": "The CIFAR network", "vgg16": "VGG16", "vgg19": "VGG19"}
"""The CNNs by the name of their network."""

TOLERANCES = (0.8, 0.6, 0.4)
DEVICES = (20, 30, 50, 70)
MIXES = ("100-0", "70-30", "50-50", "30-70")
"""Percent powerful (rpi3 and nexus in turn) and small (stm32h7)."""

PERIOD_S = 600.0
"""So long that no placement of a single request can exhaust computation or bandwidth."""


ENDINGS: dict[Policy, str] = {
    "reject": ".",
    "source": ", layers of which no share is safe kept on the source.",
}
"""Of what an instance is for, by what is done with such layers."""


def _member(network: str, tolerance: float, devices: int, mix: str, unattainable: Policy) -> Member:
    powerful, small = (int(share) * devices // 100 for share in mix.split("-"))
    purpose = f"{TITLES[network]} at tolerance {tolerance} on {powerful} powerful devices"
    purpose += f" and {small} small ones" if small else ""
    name = f"{network}-{tolerance}-{devices}-{mix}"
    name += "-source" if unattainable == "source" else ""
    recipe = Recipe(
        (network,), mix, devices, tolerance, period_s=PERIOD_S, unattainable=unattainable
    )
    return Member(name, purpose + ENDINGS[unattainable], recipe)


def _members() -> tuple[Member, ...]:
    """Return each case under the policy "reject", and VGG19 at 0.4 under "source" too."""
    cases = list(product(TITLES, TOLERANCES, DEVICES, MIXES))
    members = [_member(*case, "reject") for case in cases]
    members += [_member(*case, "source") for case in cases if case[:2] == ("vgg19", 0.4)]
    return tuple(members)


PAPER = InstanceSet(
    "paper",
    "The paper's four CNNs at its tolerances, on fleets of 20 to 70 devices in its mixes of "
    "powerful devices (Raspberry Pi 3 and Nexus 5 in turn) and small ones (STM32H7), one request "
    "each. The period is so long that no placement exhausts computation or bandwidth; memories are "
    "those of the families. VGG19 at 0.4 comes twice: Table I has no admissible share of its third "
    "block, so the request is refused, or those layers stay on the source.",
    _members(),
)
"""The members of `instances/paper/`."""
