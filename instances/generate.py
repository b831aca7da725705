"""Generate an instance file from a seed: networks, fleet, tolerance, requests, budgets."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("instances.generate")

import random
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from instances.cnns import NETWORKS, SYNTHETIC, synthetic
from instances.devices import (
    MAX_COUNT,
    BudgetScales,
    fleet_families,
    make_cameras,
    make_fleet,
    parse_counts,
)
from instances.json_layout import write_laid_out
from instances.networks import find_network, network_file
from instances.ssim import TABLE_I, read_ssim_table, rows_as_received
from optmodel.ground.command_line import console, parted_numbers, require_number
from optmodel.ground.json_files import parse_model
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import STANDARD, require_writable
from optmodel.problem import FcLayer, Instance, Network, Request, SsimTable

UNSCALED = BudgetScales()
TOLERANCE = ["0.8"]

Policy = Literal["reject", "source"]
"""What to do with maps of which no share is safe."""


@dataclass(frozen=True)
class Recipe:
    """What to generate; the fields are the command line's options."""

    networks: tuple[str, ...]
    """Names, or names with counts such as "lenet=2,cifar_cnn=1"; a file stands for the network
    that it describes.
    """
    fleet: str = "mixed"
    """"mixed", "power", "varied", shares such as "70-30", or counts such as "rpi3=2,stm32h7=1"."""
    devices: int | None = None
    """Number of helpers; None with counts."""
    tolerated_ssim: float | tuple[float, ...] = 0.8
    """Of every request; several are dealt to the requests in turn."""
    requests: int | None = None
    """Number of requests, dealt to the networks in turn; None for as many as counted."""
    cameras: int | None = None
    """Number of sources, dealt to the requests in turn; None for one per request."""
    period_s: float = 60.0
    """Scheduling period tau in seconds: budgets are e·tau and rho·tau."""
    scales: BudgetScales = UNSCALED
    """Factors on the budgets."""
    seed: int = 0
    """Draws synthetic networks, shuffles the order of requests, and draws a varied fleet."""
    ssim: Path = TABLE_I
    """SSIM table."""
    unattainable: Policy = "reject"
    """What to do with maps of which no share is safe."""

    @property
    def tolerances(self) -> tuple[float, ...]:
        """The tolerances that requests take in turn."""
        told = self.tolerated_ssim
        return told if isinstance(told, tuple) else (told,)


def generate(recipe: Recipe, name: str, description: str = "") -> Instance:
    """Generate an instance; the same recipe gives the same instance.

    Raises
    ------
    InputError
        If an option is not understood or two options contradict each other.
    """
    _refuse_bad_numbers(recipe)
    draw = random.Random(recipe.seed)
    wanted = _wanted_networks(recipe)
    table = read_ssim_table(recipe.ssim)
    networks = {
        network: rows_as_received(_build(network, draw), table) for network in dict.fromkeys(wanted)
    }
    draw.shuffle(wanted)
    families = fleet_families(recipe.fleet, recipe.devices, draw)
    cameras = recipe.cameras or len(wanted)
    content = Instance.model_construct(
        schema_version=1,
        name=name,
        description=description,
        word_bits=32,
        period_s=recipe.period_s,
        unattainable=recipe.unattainable,
        devices=make_fleet(families, recipe.period_s, recipe.scales),
        sources=make_cameras(cameras, recipe.period_s, recipe.scales),
        networks=tuple(networks.values()),
        ssim_table=_used_rows(recipe.ssim, table, networks.values()),
        requests=tuple(
            Request.model_construct(
                id=f"r{k + 1}",
                source=f"camera-{k % cameras + 1}",
                network=networks[network].id,
                tolerated_ssim=recipe.tolerances[k % len(recipe.tolerances)],
            )
            for k, network in enumerate(wanted)
        ),
    )
    return parse_model(content.model_dump_json().encode(), Instance, f"instance '{name}'")


def _refuse_bad_numbers(recipe: Recipe) -> None:
    scales = recipe.scales
    rules = [
        ("--period-s", recipe.period_s, 1e-9, 1e9),
        ("--memory-scale", scales.memory, 0, 1e9),
        ("--compute-scale", scales.compute, 0, 1e9),
        ("--bandwidth-scale", scales.bandwidth, 0, 1e9),
        *(("--tolerated-ssim", tolerance, -1, 1) for tolerance in recipe.tolerances),
    ]
    for option, value, least, most in rules:
        require_number(option, value, least, most)


def _used_rows(path: Path, table: SsimTable, networks: Iterable[Network]) -> SsimTable:
    """Return the table with the rows that the networks refer to, and no others."""
    used = {
        layer.ssim_row
        for network in networks
        for layer in network.layers
        if not isinstance(layer, FcLayer)
    }
    missing = used - {row.row for row in table.rows}
    if missing:
        raise InputError(
            f"{path}: rows: expected the rows of all layers, got none for "
            f"{', '.join(sorted(missing))}; add them"
        )
    rows = tuple(row for row in table.rows if row.row in used)
    return SsimTable.model_construct(source=table.source, slack=table.slack, rows=rows)


def command_line(recipe: Recipe, out: str, description: str) -> str:
    """Return the command that writes what a recipe generates; defaults are left out."""
    default, scales = Recipe(recipe.networks), recipe.scales
    options: list[tuple[str, object, object]] = [
        ("fleet", recipe.fleet, default.fleet),
        ("devices", recipe.devices, default.devices),
        *(("tolerated-ssim", tolerance, None) for tolerance in recipe.tolerances),
        ("requests", recipe.requests, default.requests),
        ("cameras", recipe.cameras, default.cameras),
        ("period-s", recipe.period_s, default.period_s),
        ("memory-scale", scales.memory, default.scales.memory),
        ("compute-scale", scales.compute, default.scales.compute),
        ("bandwidth-scale", scales.bandwidth, default.scales.bandwidth),
        ("seed", recipe.seed, default.seed),
        ("ssim", _shown(recipe.ssim), _shown(default.ssim)),
        ("unattainable", recipe.unattainable, default.unattainable),
    ]
    words = ["python -m instances.generate"]
    words += [f"--network {shlex.quote(network)}" for network in recipe.networks]
    words += [f"--{name} {value}" for name, value, usual in options if value != usual]
    return " ".join([*words, f"--description {shlex.quote(description)}", f"--out {out}"])


def _shown(table: Path) -> str:
    """Return the name of an SSIM table as a reader at the top of the project writes it."""
    top = Path(__file__).parents[1]
    return (table.relative_to(top) if table.is_relative_to(top) else table).as_posix()


def _wanted_networks(recipe: Recipe) -> list[str]:
    """Return the network of each request, before shuffling."""
    known = {*NETWORKS, *SYNTHETIC, *_network_files(recipe.networks)}
    counts = [pair for text in recipe.networks for pair in parse_counts(text, "--network", known)]
    counted = [name for name, count in counts for _ in range(count)]
    if recipe.requests is None:
        return counted
    if any("=" in text for text in recipe.networks) and recipe.requests != len(counted):
        raise InputError(
            f"--requests: expected {len(counted)} as --network says, got {recipe.requests}; "
            "leave one of the two out"
        )
    return [counted[k % len(counted)] for k in range(recipe.requests)]


def _network_files(texts: Iterable[str]) -> list[str]:
    """Return the files among names with or without counts."""
    names = [part.partition("=")[0].strip() for text in texts for part in text.split(",")]
    return [name for name in names if network_file(name)]


def _build(name: str, draw: random.Random) -> Network:
    return synthetic(name, draw) if name in SYNTHETIC else find_network(name)


NetworkOption = Annotated[
    list[str],
    typer.Option(help="Network, repeatable, or counts: lenet=2,cifar_cnn=1; or FILE.json of one."),
]
FleetOption = Annotated[
    str,
    typer.Option(
        help="mixed (rpi3, nexus, stm32h7 in turn), power (rpi3, nexus in turn), varied (all "
        "differ, drawn from the seed), percent powerful and small: 70-30, or counts: "
        "rpi3=2,stm32h7=1."
    ),
]
DevicesOption = Annotated[int | None, typer.Option(min=1, max=MAX_COUNT, help="Number of helpers.")]
ToleranceOption = Annotated[
    list[str],
    typer.Option(
        help="Similarity of a recovered image that requests tolerate; several are dealt to "
        "the requests in turn."
    ),
]
RequestsOption = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_COUNT, help="Number of requests; default: one per network."),
]
CamerasOption = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_COUNT, help="Number of sources; default: one per request."),
]
SeedOption = Annotated[
    int,
    typer.Option(
        min=0, max=2**31 - 1, help="Seed of synthetic networks, request order and varied fleets."
    ),
]
SsimOption = Annotated[
    Path | None, typer.Option(help="SSIM table, a JSON file; default: the paper's Table I.")
]
UnattainableOption = Annotated[
    str, typer.Option(help="Layers of which no share is safe: reject or source.")
]


def main(
    network: NetworkOption,
    out: Annotated[Path, typer.Option(help="File to write.")],
    fleet: FleetOption = "mixed",
    devices: DevicesOption = None,
    tolerated_ssim: ToleranceOption = TOLERANCE,
    requests: RequestsOption = None,
    cameras: CamerasOption = None,
    period_s: Annotated[float, typer.Option(help="Scheduling period, in seconds.")] = 60.0,
    memory_scale: Annotated[float, typer.Option(help="Factor on every memory.")] = 1.0,
    compute_scale: Annotated[float, typer.Option(help="Factor on every compute budget.")] = 1.0,
    bandwidth_scale: Annotated[float, typer.Option(help="Factor on every bandwidth budget.")] = 1.0,
    seed: SeedOption = 0,
    ssim: SsimOption = None,
    unattainable: UnattainableOption = "reject",
    description: Annotated[str, typer.Option(help="What the instance shows.")] = "",
) -> None:
    """Generate an instance file.

    Example: python -m instances.generate --network lenet --devices 4 --fleet mixed
    --tolerated-ssim 0.8 --requests 1 --period-s 60 --seed 0 --out lenet.json
    """
    require_writable(out, ssim, *map(Path, _network_files(network)))
    recipe = Recipe(
        networks=tuple(network),
        fleet=fleet,
        devices=devices,
        tolerated_ssim=tuple(parted_numbers("--tolerated-ssim", tolerated_ssim, -1, 1)),
        requests=requests,
        cameras=cameras,
        period_s=period_s,
        scales=BudgetScales(memory_scale, compute_scale, bandwidth_scale),
        seed=seed,
        ssim=ssim or TABLE_I,
        unattainable=policy_of(unattainable),
    )
    name = "generated" if out == STANDARD else out.stem
    instance = generate(recipe, name, description)
    write_laid_out(out, instance)
    console.print(
        f"{out}: {len(instance.requests)} request(s), {len(instance.devices)} helper(s), "
        f"{len(instance.networks)} network(s)",
        markup=False,
    )


def policy_of(text: str) -> Policy:
    """Return what `--unattainable` asks for.

    Raises
    ------
    InputError
        If it is neither.
    """
    if text == "reject":
        return "reject"
    if text == "source":
        return "source"
    raise InputError(f"--unattainable: expected reject or source, got '{text}'; correct it")
