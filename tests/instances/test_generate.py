"""Generated instances follow from their options and their seed, and Table I is as printed."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from commands import refusal_of

from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from instances.ssim import read_ssim_table
from optmodel.ground.json_files import write_model
from optmodel.ground.rule_errors import InputError
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance, read_instance


def made(*networks: str, devices: int | None = 3, **options: object) -> Instance:
    return generate(Recipe(networks, devices=devices, **options), "made")


def networks_of_requests(instance: Instance) -> list[str]:
    return [request.network for request in instance.requests]


def run_generator(out: Path, *options: str, hash_seed: str = "0") -> None:
    command = [sys.executable, "-m", "instances.generate", "--out", str(out), *options]
    subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": hash_seed}, check=True)


def test_the_same_seed_gives_the_same_file_byte_for_byte(tmp_path):
    for folder in ("1", "2"):
        (tmp_path / folder).mkdir()
        run_generator(
            tmp_path / folder / "made.json",
            *("--network", "synthetic4,lenet=2,synthetic2", "--devices", "4", "--seed", "7"),
            hash_seed=folder,
        )
    first, second = ((tmp_path / folder / "made.json").read_bytes() for folder in ("1", "2"))
    assert first == second


def test_the_command_line_writes_what_the_recipe_says(tmp_path):
    options = "--network lenet --devices 4 --fleet power --tolerated-ssim 0.6 --requests 2 "
    options += "--cameras 1 --period-s 30 --memory-scale 0.5 --compute-scale 0.25 "
    options += "--bandwidth-scale 2 --seed 3 --unattainable source --description shown"
    run_generator(tmp_path / "made.json", *options.split())
    recipe = Recipe(
        networks=("lenet",),
        fleet="power",
        devices=4,
        tolerated_ssim=0.6,
        requests=2,
        cameras=1,
        period_s=30.0,
        scales=BudgetScales(memory=0.5, compute=0.25, bandwidth=2.0),
        seed=3,
        unattainable="source",
    )
    assert read_instance(tmp_path / "made.json") == generate(recipe, "made", "shown")


def test_different_seeds_give_different_synthetic_networks():
    instances = [made("synthetic3", seed=seed) for seed in range(5)]
    assert len({instance.networks[0].model_dump_json() for instance in instances}) == 5


def test_different_seeds_shuffle_requests_differently_and_keep_their_number():
    orders = [networks_of_requests(made("lenet=4,cifar_cnn=4", seed=seed)) for seed in range(5)]
    assert len({tuple(order) for order in orders}) > 1
    assert all(Counter(order) == {"lenet": 4, "cifar_cnn": 4} for order in orders)


@pytest.mark.parametrize(
    ("fleet", "devices", "names"),
    [
        ("mixed", 5, ["rpi3-1", "nexus-1", "stm32h7-1", "rpi3-2", "nexus-2"]),
        ("power", 3, ["rpi3-1", "nexus-1", "rpi3-2"]),
        ("rpi3=2,stm32h7=1", None, ["rpi3-1", "rpi3-2", "stm32h7-1"]),
        ("stm32h7,rpi3=2", 3, ["stm32h7-1", "rpi3-1", "rpi3-2"]),
        ("60-40", 5, ["rpi3-1", "nexus-1", "rpi3-2", "stm32h7-1", "stm32h7-2"]),
        ("100-0", 2, ["rpi3-1", "nexus-1"]),
        ("0-100", 2, ["stm32h7-1", "stm32h7-2"]),
        ("varied", 2, ["varied-1", "varied-2"]),
    ],
)
def test_a_fleet_is_a_named_mix_shares_or_counts(fleet, devices, names):
    assert [node.id for node in made("lenet", fleet=fleet, devices=devices).devices] == names


@pytest.mark.parametrize(
    ("number", "family", "speed", "rate", "memory"),
    [
        (0, "rpi3", 560e6, 72.2e6, 1e9),
        (1, "nexus", 800e6, 72.2e6, 2e9),
        (2, "stm32h7", 40e6, 7.2e6, 1e6),
    ],
)
def test_families_have_the_figures_of_section_iii(number, family, speed, rate, memory):
    instance = made("lenet")
    assert instance.devices[number].family == family
    assert figures(instance)[number] == (speed, rate, memory)


FIGURES = ("compute_mult_per_s", "rate_bits_per_s", "memory_bytes")


def figures(instance: Instance) -> list[tuple[float, ...]]:
    return [tuple(getattr(node, field) for field in FIGURES) for node in instance.devices]


def test_in_a_varied_fleet_all_devices_differ_and_lie_between_the_families():
    nodes = figures(made("lenet", fleet="varied", devices=100))
    assert len(set(nodes)) == 100
    between = zip((40e6, 7.2e6, 1e6), zip(*nodes, strict=True), (800e6, 72.2e6, 2e9), strict=True)
    for least, drawn, most in between:
        assert least <= min(drawn) < 2 * least  # the whole range is used
        assert most / 2 < max(drawn) <= most
        assert all(number == float(f"{number:.3g}") for number in drawn)


def test_a_varied_fleet_follows_its_seed():
    fleets = [figures(made("lenet", fleet="varied", seed=seed)) for seed in (1, 1, 2)]
    assert fleets[0] == fleets[1] != fleets[2]


def test_budgets_of_a_varied_fleet_follow_its_speeds_and_rates():
    for node in made("lenet", fleet="varied", period_s=10.0).devices:
        assert node.compute_budget_mult == pytest.approx(10 * node.compute_mult_per_s, rel=1e-12)
        assert node.bandwidth_budget_bits == pytest.approx(10 * node.rate_bits_per_s, rel=1e-12)


@pytest.mark.parametrize(
    ("number", "memory", "compute", "bandwidth"),
    [
        # 0.5 of the memory, e * 30 s * 0.1, rho * 30 s * 0.25
        (0, 5e8, 1.68e9, 541.5e6),
        (1, 1e9, 2.4e9, 541.5e6),
        (2, 5e5, 1.2e8, 54e6),
        (3, 5e8, 1.68e9, 541.5e6),  # the camera
    ],
)
def test_budgets_are_what_a_node_can_do_in_a_period_times_the_scale(
    number, memory, compute, bandwidth
):
    scales = BudgetScales(memory=0.5, compute=0.1, bandwidth=0.25)
    instance = made("lenet", period_s=30.0, scales=scales)
    node = instance.nodes[number]
    assert node.memory_bytes == memory
    assert node.compute_budget_mult == compute
    assert node.bandwidth_budget_bits == bandwidth
    assert instance.period_s == 30.0


@pytest.mark.parametrize(
    ("networks", "requests", "dealt"),
    [
        (["lenet"], None, {"lenet": 1}),
        (["lenet"], 4, {"lenet": 4}),
        (["lenet=2,cifar_cnn=1"], None, {"lenet": 2, "cifar_cnn": 1}),
        (["lenet=2", "cifar_cnn"], 3, {"lenet": 2, "cifar_cnn": 1}),
        (["lenet", "cifar_cnn"], 5, {"lenet": 3, "cifar_cnn": 2}),
        (["lenet", "lenet"], None, {"lenet": 2}),
    ],
)
def test_requests_are_counted_or_dealt_to_the_networks_in_turn(networks, requests, dealt):
    instance = made(*networks, requests=requests)
    assert Counter(networks_of_requests(instance)) == dealt
    assert {network.id for network in instance.networks} == set(dealt)
    assert [request.id for request in instance.requests] == [
        f"r{k}" for k in range(1, sum(dealt.values()) + 1)
    ]


@pytest.mark.parametrize(
    ("cameras", "sources"),
    [(None, ["camera-1", "camera-2", "camera-3"]), (2, ["camera-1", "camera-2", "camera-1"])],
)
def test_cameras_are_one_per_request_or_dealt_in_turn(cameras, sources):
    instance = made("lenet=3", cameras=cameras)
    assert [request.source for request in instance.requests] == sources
    assert [node.id for node in instance.sources] == sorted(set(sources))
    assert {node.family for node in instance.sources} == {"rpi3"}


@pytest.mark.parametrize(
    ("told", "dealt"), [(0.6, [0.6] * 5), ((0.8, 0.4, 0.6), [0.8, 0.4, 0.6, 0.8, 0.4])]
)
def test_tolerances_are_dealt_to_the_requests_in_turn(told, dealt):
    instance = made("lenet=4,cifar_cnn=1", tolerated_ssim=told)
    assert [request.tolerated_ssim for request in instance.requests] == dealt


def test_the_command_line_takes_several_tolerances(tmp_path):
    options = "--network lenet=3 --devices 4 --tolerated-ssim 0.8 --tolerated-ssim 0.4"
    run_generator(tmp_path / "made.json", *options.split())
    recipe = Recipe(("lenet=3",), devices=4, tolerated_ssim=(0.8, 0.4))
    assert read_instance(tmp_path / "made.json") == generate(recipe, "made")


def test_the_command_line_tolerates_0_8_unless_told_otherwise(tmp_path):
    run_generator(tmp_path / "made.json", "--network", "lenet", "--devices", "4")
    (request,) = read_instance(tmp_path / "made.json").requests
    assert request.tolerated_ssim == 0.8


def test_a_table_of_the_users_own_replaces_table_i(tmp_path):
    table = read_ssim_table().model_copy(update={"source": "my own", "slack": 0.0})
    write_model(tmp_path / "table.json", table)
    used = made("lenet", ssim=tmp_path / "table.json").ssim_table
    assert (used.source, used.slack) == ("my own", 0.0)


def test_an_instance_carries_the_rows_that_its_networks_use():
    rows = read_ssim_table().rows
    used = [row for row in rows if row.row.startswith("MNIST")]
    assert list(made("lenet").ssim_table.rows) == used


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"networks": ("resnet",)}, "--network: expected one of .* got 'resnet'"),
        ({"networks": ("lenet=two",)}, "--network: expected lenet=1 or more, got 'lenet=two'"),
        ({"networks": ("lenet=-1",)}, "--network: expected lenet=1 or more, got 'lenet=-1'"),
        ({"networks": ("lenet,",)}, "--network: expected one of .* got ''"),
        ({"networks": ("lenet=2",), "requests": 1}, "--requests: expected 2 .* got 1"),
        ({"networks": ("lenet=1000000000",)}, "expected at most 100,000 in all"),
        ({"devices": None}, "--devices: expected a number with --fleet mixed, got nothing"),
        ({"fleet": "rpi3=1"}, "--devices: expected 1 as --fleet rpi3=1 says, got 3"),
        ({"fleet": "rpi4"}, "--fleet: expected one of .* got 'rpi4'"),
        ({"tolerated_ssim": -1.5}, "tolerated.ssim: expected .* got -1.5"),
        ({"tolerated_ssim": (0.8, 1.5)}, "tolerated.ssim: expected .* got 1.5"),
        ({"fleet": "70-40"}, "--fleet: expected two percentages that add up to 100, got '70-40'"),
        ({"fleet": "70-30"}, "--devices: expected a number that --fleet 70-30 divides .* got 3"),
        ({"fleet": "70-30", "devices": None}, "--devices: expected a number with --fleet 70-30"),
        ({"fleet": "varied", "devices": None}, "--devices: expected a number with --fleet varied"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        generate(Recipe(**({"networks": ("lenet",), "devices": 3} | options)), "made")


@pytest.mark.parametrize("network", ["lenet", "cifar_cnn", "vgg16", "vgg19", "synthetic2"])
def test_every_generated_instance_is_a_problem_with_work_for_every_layer(network):
    task = Problem.of(made(network)).tasks[0]
    assert len(task.layers) == len(task.network.layers)
    assert task.unattainable == ()


TABLE_I = """
              512   256   128   64    32    16    8     4     2
CIFAR ReLU11  -     -     -     0.99  0.6   0.56  0.4   0.3   0.26
CIFAR ReLU22  -     -     0.86  0.7   0.49  0.34  0.13  0.1   0.07
CIFAR ReLU32  -     -     0.6   0.51  0.41  0.18  0.08  0.07  0.01
MNIST Conv1   -     -     -     -     -     -     0.99  0.28  -
MNIST Conv2   -     -     -     -     -     -     0.73  0     -
CELEBA ReLU11 -     -     -     0.96  0.81  0.66  0.27  0.09  0.1
CELEBA ReLU22 -     -     0.76  0.69  0.71  0.59  0.59  0.4   0.4
CELEBA ReLU34 -     0.56  0.51  0.47  0.49  0.46  0.45  0.45  0.45
CELEBA ReLU44 0.26  0.39  0.3   0.3   0.3   0.3   0.3   0.3   0.3
CAR ReLU11    -     -     -     0.98  0.92  0.93  0.88  0.69  0.04
CAR ReLU22    -     -     0.83  0.74  0.59  0.47  0.5   0.4   0.26
CAR ReLU33    -     0.68  0.58  0.58  0.55  0.46  0.31  0.18  0.18
CAR ReLU43    0.36  0.33  0.30  0.36  0.36  0.31  0.29  0.34  0.33
"""


def test_table_i_is_as_printed():
    maps, *lines = (line.split() for line in TABLE_I.strip().splitlines())
    printed = {
        f"{dataset} {layer}": {
            int(n): float(cell) for n, cell in zip(maps, cells, strict=True) if cell != "-"
        }
        for dataset, layer, *cells in lines
    }
    stored = {row.row: {m.maps: m.ssim for m in row.measurements} for row in read_ssim_table().rows}
    assert stored == printed
    assert read_ssim_table().slack == 0.01  # one printed digit


@pytest.mark.parametrize("option", ["--devices", "--requests", "--cameras"])
def test_a_billion_of_anything_is_refused(tmp_path, option):
    options = {"--network": "lenet", "--devices": "2", "--out": tmp_path / "made.json"}
    options[option] = "1000000000"
    told = refusal_of("instances.generate", *(part for pair in options.items() for part in pair))
    assert option in told
    assert not list(tmp_path.iterdir())
