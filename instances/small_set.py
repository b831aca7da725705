"""The instances of `instances/small/`: recipes, and what each of them tests."""

from instances.devices import BudgetScales
from instances.generate import Recipe
from instances.set_members import InstanceSet, Member


def _lenets() -> list[Member]:
    return [
        Member(
            f"lenet-{tolerance}-{devices}-mixed",
            f"LeNet at tolerance {tolerance} on {devices} helpers of three families.",
            Recipe(("lenet",), "mixed", devices, tolerance),
        )
        for tolerance in (0.8, 0.6, 0.4)
        for devices in (3, 4, 5, 6)
    ]


def _synthetics() -> list[Member]:
    cases = [(2, 0, 0.8), (2, 1, 0.6), (2, 2, 0.4), (3, 0, 0.8), (3, 1, 0.6), (3, 2, 0.4)]
    cases += [(4, 0, 0.8), (4, 2, 0.4)]
    return [
        Member(
            f"synthetic{convs}-{tolerance}-seed{seed}",
            f"A random CNN of {convs} convs on 4 helpers.",
            Recipe((f"synthetic{convs}",), "mixed", 4, tolerance, seed=seed),
        )
        for convs, seed, tolerance in cases
    ]


_FLEETS = [
    Member(
        "lenet-0.6-rpi3x4",
        "Four equal helpers: every permutation of them is an optimum.",
        Recipe(("lenet",), "rpi3=4", None, 0.6),
    ),
    Member(
        "lenet-0.6-stm32h7x5",
        "Small helpers only: slow links, slow processors.",
        Recipe(("lenet",), "stm32h7=5", None, 0.6),
    ),
    Member(
        "lenet-0.8-5-power",
        "Powerful helpers only, two families in turn.",
        Recipe(("lenet",), "power", 5, 0.8),
    ),
]

_BLOCKS = [
    Member(
        "cifar_block1-0.8-3-mixed",
        "64 maps on 3 helpers, at most 32 on each.",
        Recipe(("cifar_block1",), "mixed", 3, 0.8),
    ),
    Member(
        "cifar_block1-0.8-4-mixed",
        "64 maps on 4 helpers: the greedy uses only two of them.",
        Recipe(("cifar_block1",), "mixed", 4, 0.8),
    ),
    Member(
        "cifar_block1-0.4-8-mixed",
        "64 maps, at most 8 on each of 8 helpers: the caps leave no choice but the transfers.",
        Recipe(("cifar_block1",), "mixed", 8, 0.4),
    ),
    Member(
        "cifar_block3-0.8-3-mixed",
        "128 maps behind a narrow first conv; the pool before the fc moves maps.",
        Recipe(("cifar_block3",), "mixed", 3, 0.8),
    ),
]

_BATCHES = [
    Member(
        "lenet-0.8-x2",
        "Two requests whose budgets do not bind: twice the optimum of one.",
        Recipe(("lenet",), "mixed", 3, 0.8, requests=2),
    ),
    Member(
        "lenet-0.8-x2-one-camera",
        "Two requests of one camera.",
        Recipe(("lenet",), "mixed", 3, 0.8, requests=2, cameras=1),
    ),
    Member(
        "lenet-0.8-x3",
        "Three requests on 3 helpers.",
        Recipe(("lenet",), "mixed", 3, 0.8, requests=3),
    ),
    Member(
        "lenet-0.4-x4",
        "Four requests at a tight tolerance; the greedy is optimal here.",
        Recipe(("lenet",), "mixed", 3, 0.4, requests=4),
    ),
    Member(
        "lenet-synthetic2-0.6",
        "Two requests of two different networks.",
        Recipe(("lenet=1,synthetic2=1",), "mixed", 4, 0.6, seed=3),
    ),
]

_BINDING = [
    Member(
        "lenet-0.8-x2-memory",
        "Memory binds (8b): room for fc1 on two helpers, not where it would be fastest.",
        Recipe(("lenet",), "mixed", 3, 0.8, requests=2, scales=BudgetScales(memory=8e-5)),
    ),
    Member(
        "lenet-0.4-x4-compute",
        "Compute binds (8c): four requests share what two fast helpers may run in a period.",
        Recipe(("lenet",), "mixed", 3, 0.4, requests=4, scales=BudgetScales(compute=6e-6)),
    ),
    Member(
        "lenet-0.6-x2-bandwidth",
        "Bandwidth binds (8d): small helpers run out of bits to send.",
        Recipe(("lenet",), "stm32h7=4", None, 0.6, requests=2, scales=BudgetScales(bandwidth=6e-5)),
    ),
    Member(
        "lenet-0.6-x2-bandwidth-tight",
        "Bandwidth binds harder (8d): the greedy rejects a request that the optimum serves.",
        Recipe(
            ("lenet",), "stm32h7=4", None, 0.6, requests=2, scales=BudgetScales(bandwidth=4.5e-5)
        ),
    ),
    Member(
        "lenet-0.6-x2-bandwidth-gateway",
        "Bandwidth binds (8d) with one fast helper among small ones.",
        Recipe(
            ("lenet",),
            "rpi3=1,stm32h7=3",
            None,
            0.6,
            requests=2,
            scales=BudgetScales(bandwidth=3.5e-5),
        ),
    ),
    Member(
        "lenet-0.2-kept-on-source",
        "No share of conv1's maps is safe at 0.2: the layers that receive them stay on the source.",
        Recipe(("lenet",), "mixed", 4, 0.2, unattainable="source"),
    ),
]

_INFEASIBLE = [
    Member(
        "infeasible-privacy",
        "Infeasible: the caps ask for 8 helpers, the fleet has 6 (8f).",
        Recipe(("cifar_block1",), "mixed", 6, 0.4),
    ),
    Member(
        "infeasible-memory",
        "Infeasible: fc1 fits on no helper (8b, 8g).",
        Recipe(("lenet",), "mixed", 4, 0.8, scales=BudgetScales(memory=2e-5)),
    ),
    Member(
        "infeasible-unattainable",
        "Infeasible: at 0.4 Table I has no admissible share of VGG19's third block (8f).",
        Recipe(("vgg19",), "mixed", 10, 0.4),
    ),
    Member(
        "infeasible-camera",
        "Infeasible: the camera may not send what conv1 puts out (8d).",
        Recipe(("lenet",), "mixed", 4, 0.8, scales=BudgetScales(bandwidth=3e-5)),
    ),
    Member(
        "infeasible-compute",
        "Infeasible: each layer fits, four requests together do not; only the solver sees it (8c).",
        Recipe(("lenet",), "mixed", 3, 0.4, requests=4, scales=BudgetScales(compute=5.4e-6)),
    ),
]

SMALL = InstanceSet(
    "small",
    "Small enough to be solved to proven optimality one segment at a time, each for a reason.",
    (
        *_lenets(),
        *_synthetics(),
        *_FLEETS,
        *_BLOCKS,
        *_BATCHES,
        *_BINDING,
        *_INFEASIBLE,
    ),
)
"""The members of `instances/small/`."""
