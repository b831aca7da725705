"""The instances of `instances/medium/`: recipes, and what each of them tests."""

from instances.devices import BudgetScales
from instances.generate import Recipe
from instances.set_members import InstanceSet, Member

ALL_TOLERANCES = (0.8, 0.6, 0.4)

_SINGLES = [
    Member(
        "cifar_cnn-0.8-6-mixed",
        "The CIFAR network on the smallest fleet here: few devices, wide choice on each.",
        Recipe(("cifar_cnn",), "mixed", 6, 0.8),
    ),
    Member(
        "cifar_cnn-0.4-10-mixed",
        "The tightest tolerance: at most 8, 16 and 32 maps of the three blocks on a device.",
        Recipe(("cifar_cnn",), "mixed", 10, 0.4),
    ),
    *(
        Member(
            f"cifar_cnn-{tolerance}-30-mixed",
            f"The CIFAR network at tolerance {tolerance} on ten devices of each family.",
            Recipe(("cifar_cnn",), "mixed", 30, tolerance),
        )
        for tolerance in ALL_TOLERANCES
    ),
    Member(
        "cifar_cnn-0.6-20-mixed",
        "One of the requests of `lenet10-cifar10-0.6-20-binding`, its budgets not binding.",
        Recipe(("cifar_cnn",), "mixed", 20, 0.6),
    ),
    Member(
        "lenet-0.6-20-mixed",
        "The other request of that batch: more devices than LeNet has maps.",
        Recipe(("lenet",), "mixed", 20, 0.6),
    ),
    Member(
        "cifar_cnn-0.6-12-varied",
        "All devices differ, so that none can stand for another; memory is plenty.",
        Recipe(("cifar_cnn",), "varied", 12, 0.6, scales=BudgetScales(memory=1e3), seed=1),
    ),
]

_VGG_PARTS = [
    Member(
        "vgg16_block1-0.8-16-power",
        "As many devices as the caps ask for: 64 maps, at most 4 on each of 16.",
        Recipe(("vgg16_block1",), "power", 16, 0.8),
    ),
    Member(
        "vgg16_block1-0.8-20-mixed",
        "The caps force two small devices into the first block, and their links decide.",
        Recipe(("vgg16_block1",), "mixed", 20, 0.8),
    ),
    Member(
        "vgg16_blocks12-0.8-30-mixed",
        "Two blocks whose caps differ: 16 devices for the first, 2 for the second.",
        Recipe(("vgg16_blocks12",), "mixed", 30, 0.8),
    ),
    Member(
        "vgg16_block4-0.4-12-mixed",
        "512 maps that are not at risk: no caps, the widest choice of counts.",
        Recipe(("vgg16_block4",), "mixed", 12, 0.4),
    ),
    Member(
        "vgg19_block5-0.3-9-mixed",
        "At 0.3 even the last block is at risk: 512 maps, at most 128 on a device, fc1 at home.",
        Recipe(("vgg19_block5",), "mixed", 9, 0.3),
    ),
]

_BATCHES = [
    Member(
        "lenet-cifar_cnn-0.4-10-mixed",
        "Two networks that do not disturb each other: the sum of two optima.",
        Recipe(("lenet", "cifar_cnn"), "mixed", 10, 0.4),
    ),
    Member(
        "cifar_cnn-x3-20-mixed",
        "Three requests of one network at three tolerances; the budgets do not bind.",
        Recipe(("cifar_cnn",), "mixed", 20, ALL_TOLERANCES, requests=3),
    ),
]

_BINDING = [
    Member(
        "cifar_cnn-x2-0.6-10-memory",
        "Memory binds (8b): a Nexus has room for one fc1, the other devices for none.",
        Recipe(("cifar_cnn=2",), "mixed", 10, 0.6, scales=BudgetScales(memory=2.5e-3)),
    ),
    Member(
        "cifar_block3-x8-0.6-8-memory",
        "Memory binds (8b): two powerful devices share the weights of eight requests.",
        Recipe(
            ("cifar_block3=8",), "rpi3=2,stm32h7=6", None, 0.6, scales=BudgetScales(memory=5e-3)
        ),
    ),
    Member(
        "vgg16_block4-x2-0.4-12-memory",
        "Memory binds (8b): a small device has room for one segment, a Nexus for fc1 and little "
        "else.",
        Recipe(("vgg16_block4=2",), "mixed", 12, 0.4, scales=BudgetScales(memory=0.02)),
    ),
    Member(
        "vgg19_block5-x4-0.6-12-memory",
        "Memory binds (8b): four requests fill 87 % of all there is, nearly all on three devices.",
        Recipe(
            ("vgg19_block5=4",), "rpi3=3,stm32h7=9", None, 0.6, scales=BudgetScales(memory=0.07)
        ),
    ),
    Member(
        "cifar_cnn-x4-0.6-12-compute",
        "Compute binds (8c): four requests need 97 % of what all devices may run.",
        Recipe(("cifar_cnn=4",), "mixed", 12, 0.6, scales=BudgetScales(compute=1.4e-3)),
    ),
    Member(
        "cifar_cnn-x4-0.6-12-bandwidth",
        "Bandwidth binds (8d): the partial sums of few senders can be afforded.",
        Recipe(("cifar_cnn=4",), "mixed", 12, 0.6, scales=BudgetScales(bandwidth=1.8e-3)),
    ),
    Member(
        "cifar_block1-x4-0.8-8-bandwidth",
        "Bandwidth binds (8d) in a fleet of equal devices: the greedy rejects a request for want "
        "of it, the optimum serves all four.",
        Recipe(("cifar_block1=4",), "stm32h7=8", None, 0.8, scales=BudgetScales(bandwidth=6e-3)),
    ),
    Member(
        "vgg16_blocks12-0.8-30-bandwidth",
        "Bandwidth binds (8d) on a single request: who holds many maps cannot send to many.",
        Recipe(("vgg16_blocks12",), "mixed", 30, 0.8, scales=BudgetScales(bandwidth=0.012)),
    ),
    Member(
        "cifar_cnn-x2-0.6-12-varied",
        "Compute and bandwidth bind together (8c, 8d) where all devices differ.",
        Recipe(
            ("cifar_cnn=2",),
            "varied",
            12,
            0.6,
            scales=BudgetScales(compute=1.8e-3, bandwidth=2.5e-3),
            seed=1,
        ),
    ),
    Member(
        "lenet6-cifar4-14-varied",
        "All three budgets bind (8b-8d), tolerances take turns, all devices differ.",
        Recipe(
            ("lenet=6,cifar_cnn=4",),
            "varied",
            14,
            ALL_TOLERANCES,
            scales=BudgetScales(compute=3e-3, bandwidth=6e-3),
            seed=2,
        ),
    ),
    Member(
        "lenet-x20-15-binding",
        "All three budgets bind (8b-8d) for twenty small requests whose tolerances take turns.",
        Recipe(("lenet=20",), "mixed", 15, ALL_TOLERANCES, scales=BudgetScales(2e-4, 6e-6, 4e-5)),
    ),
    Member(
        "lenet10-cifar10-0.6-20-binding",
        "Ten LeNet and ten CIFAR requests on 20 devices; all three budgets bind (8b-8d).",
        Recipe(
            ("lenet=10,cifar_cnn=10",), "mixed", 20, 0.6, scales=BudgetScales(0.01, 2.1e-3, 6e-3)
        ),
    ),
]

_OVERSUBSCRIBED = [
    Member(
        "lenet-x12-0.6-6-oversubscribed",
        "Not all can be served: twelve requests ask for more computation than there is (8c).",
        Recipe(("lenet=12",), "mixed", 6, 0.6, scales=BudgetScales(compute=7e-6)),
    ),
    Member(
        "cifar_cnn-x6-0.6-10-oversubscribed",
        "Not all can be served: six requests ask for more memory than there is (8b).",
        Recipe(("cifar_cnn=6",), "mixed", 10, 0.6, scales=BudgetScales(memory=3e-3)),
    ),
    Member(
        "lenet10-cifar10-0.6-20-oversubscribed",
        "Not all can be served (8c), and whom to refuse is the question: two sizes of request.",
        Recipe(
            ("lenet=10,cifar_cnn=10",), "mixed", 20, 0.6, scales=BudgetScales(0.01, 1.8e-3, 4e-3)
        ),
    ),
]

MEDIUM = InstanceSet(
    "medium",
    "The CIFAR network and blocks of VGG16 and VGG19 on 6 to 30 devices, 1 to 20 requests. The "
    "first half has budgets that do not bind; in the second half memory (8b), computation (8c) or "
    "bandwidth (8d) does, or several of them. Batches named oversubscribed cannot be served whole: "
    "the best is to serve as many requests as possible, and those fast.",
    (*_SINGLES, *_VGG_PARTS, *_BATCHES, *_BINDING, *_OVERSUBSCRIBED),
)
"""The members of `instances/medium/`."""
