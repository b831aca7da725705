"""Simulate one setting: `python -m benchmarks.simulate`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.simulate.__main__")

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from benchmarks.common.command import listed, print_table
from benchmarks.simulate.outcome import SimulationOutcome, Timing
from benchmarks.simulate.run import simulate
from benchmarks.simulate.setting import PAPER_NETWORKS, Setting
from instances.generate import UnattainableOption
from optmodel.ground.command_line import console, require_output
from optmodel.ground.rule_errors import InputError, RuleError
from optmodel.ground.whole_files import write_text

EVERY_NETWORK = [*PAPER_NETWORKS]


def main(
    networks: Annotated[
        list[str], typer.Option(help="Networks, drawn with equal chances.")
    ] = EVERY_NETWORK,
    fleet: Annotated[str, typer.Option(help="Families: mixed, power, 70-30, ...")] = "mixed",
    devices: Annotated[int, typer.Option(help="Number of devices.")] = 50,
    cameras: Annotated[int, typer.Option(help="Number of cameras.")] = 16,
    tolerated_ssim: Annotated[float, typer.Option(help="Tolerance of every request.")] = 0.8,
    unattainable: UnattainableOption = "reject",
    policy: Annotated[str, typer.Option(help="Who places requests.")] = "lookahead",
    requests: Annotated[int, typer.Option(help="How many requests come.")] = 320,
    arrivals_per_s: Annotated[float, typer.Option(help="Rate of the Poisson process.")] = 3.0,
    period_s: Annotated[float, typer.Option(help="Scheduling period of the budgets.")] = 30.0,
    changes_per_s: Annotated[
        float, typer.Option(help="Rate at which devices leave or fail, half of each.")
    ] = 0.0,
    away_s: Annotated[float, typer.Option(help="Mean time until they join again.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Draws arrivals and changes.")] = 0,
    log: Annotated[
        Path | None, typer.Option(help="Write every event as JSON lines to FILE.jsonl.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write what it was like as FILE.json.")] = None,
) -> None:
    """Simulate requests that come, run and return what they reserved, and say what it was like.

    Example: python -m benchmarks.simulate --networks lenet,cifar_cnn --devices 20 --requests 50
    """
    told = {name: value for name, value in locals().items() if name in Setting.model_fields}
    setting = _setting(told | {"networks": listed(networks)})
    require_output("--log", log, ".jsonl", out)
    require_output("--out", out, ".json", log)
    outcome, timing = simulate(setting, log)
    if out is not None:
        write_text(out, outcome.model_dump_json(indent=1) + "\n")
    print_outcome(outcome, timing)


def _setting(told: dict[str, object]) -> Setting:
    """Return the setting that options tell.

    Raises
    ------
    InputError
        Naming the options that are out of their ranges.
    """
    try:
        return Setting.model_validate(told)
    except ValidationError as error:
        raise InputError("\n".join(map(_refusal, error.errors()))) from error


def _refusal(detail: ErrorDetails) -> str:
    """Return what an option may be and what it is."""
    rule = detail.get("ctx", {}).get("error")
    if isinstance(rule, RuleError):
        return f"--{str(rule).replace('_', '-')}"
    option = "--" + str(detail["loc"][0]).replace("_", "-")
    return f"{option}: {detail['msg'].lower()}, got {detail['input']!r}; correct it"


def print_outcome(outcome: SimulationOutcome, timing: Timing) -> None:
    """Print the sums of a run, then a line per family."""
    all_of = outcome.all
    lines = {
        "requests": f"{all_of.submitted}, {all_of.served} served, {all_of.unserved} never",
        "no place at first": f"{all_of.rejected_first}",
        "interrupted": f"{outcome.interrupted}, {outcome.restarted} begun anew",
        "latency": f"{all_of.latency_s:.6f} s in all, {all_of.waiting_s:.6f} s of it waiting",
        "bound": f"{all_of.bound_s:.6f} s",
        "shared data": f"{all_of.shared_bits / 1e9:.6f} Gbit",
        "last end": f"{outcome.end_s:.6f} s",
        "deciding": f"{timing.events} events, {timing.total_s:.3f} s",
    }
    for name, text in lines.items():
        console.print(f"{name:<18} {text}")
    rows = (
        [name, str(used.devices)]
        + [
            f"{100 * share:.2f}"
            for share in (used.compute_share, used.memory_share, used.sending_share)
        ]
        for name, used in outcome.families.items()
    )
    print_table(console, ["family"], ["devices", "computing %", "memory %", "sending %"], rows)
