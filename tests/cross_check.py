"""Search for wrong answers of CP-SAT: thousands of tiny instances against the brute force.

The class is the one in which its presolve was caught: one helper is 10^2 to 10^6 times slower than
the others, and budgets bind. Run it before a release and after every change of the OR-Tools version
(`make cross-check`, or as a module of its own):

    python tests/cross_check.py --instances 5000 --seed 0 --out docs/cpsat-search.json

Half of them have the networks of the three instances in `tests/cases` that gave it away, with other
rates; the others are drawn from scratch. What is compared is exact: latencies are recomputed in
rationals, and a bound may exceed the least latency by nothing but its rounding to a double. A run
that was stopped goes on where it was.
"""

import json
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
import reference
import typer
from rich.progress import track
from strategies import act, conv, fc, instance, network, node, pool, ssim_row, with_budget

from optmodel.checker import check
from optmodel.ground.rule_errors import ResultError
from optmodel.ground.whole_files import write_text
from optmodel.placement.solution import Solution, SolutionStatus
from optmodel.problem.instance import Instance, Request, read_instance
from optmodel.problem.network import Layer
from optmodel.problem.ssim import SsimTable
from optmodel.search.agreement import BOUND_TOLERANCE
from optmodel.search.options import SolverOptions
from optmodel.solving import solve

LIMIT_S = 60.0
"""A proof to a gap of 0 can take CP-SAT for ever; what it claims by then is checked."""
VARIANTS = (
    SolverOptions(time_limit_s=LIMIT_S),
    SolverOptions(time_limit_s=LIMIT_S, mip_gap=0.0, threads=1),
    SolverOptions(time_limit_s=LIMIT_S, threads=1),
    SolverOptions(time_limit_s=LIMIT_S, admission="most", threads=1),
)
"""Instance n is solved with variant n modulo their number."""
MOST_HELPER_SEGMENTS = {2: 6, 3: 4}
"""By number of helpers, so that a request has a few hundred placements."""
MOST_MAPS = {2: 3, 3: 2}
"""By number of helpers, behind a layer on helpers."""
SAVED_EVERY = 50
"""Instances between two writes of the record."""


# Instances of the class.

CASES = tuple(
    Path(__file__).parent / "cases" / f"cpsat-{name}.json"
    for name in ("wrong-optimum-a", "wrong-bound-b", "false-infeasible")
)


def drawn(random: np.random.Generator) -> Instance:
    """Draw an instance: 2 to 4 helpers, one of them slow, 1 or 2 requests, tight budgets."""
    return _like_a_case(random) if random.random() < 0.5 else _from_scratch(random)


def _like_a_case(random: np.random.Generator) -> Instance:
    """Draw other rates for one of the cases, and other budgets now and then."""
    made = _shortened(read_instance(CASES[int(random.integers(len(CASES)))]))
    fast = _helpers(random, len(made.devices))
    slow = int(np.argmin([at.compute_mult_per_s for at in made.devices]))
    fast.insert(slow, fast.pop(int(np.argmin([at.compute_mult_per_s for at in fast]))))
    for at, drawn_at in zip(made.devices, fast, strict=True):
        rates = ("compute_mult_per_s", "rate_bits_per_s")
        made = with_budget(made, at.id, **{name: getattr(drawn_at, name) for name in rates})
    return made if random.random() < 0.7 else _budgeted(random, made)


def _shortened(made: Instance) -> Instance:
    """Leave out what follows the fifth layer, for the brute force's sake."""
    networks = [n.model_copy(update={"layers": n.layers[:5]}) for n in made.networks]
    return made.model_copy(update={"networks": tuple(networks)})


def _from_scratch(random: np.random.Generator) -> Instance:
    helpers = int(random.choice((2, 2, 3)))
    number = int(random.choice((1, 1, 2)))
    cameras = int(random.integers(1, number + 1))
    networks = [_network(random, f"net{n}", helpers) for n in range(number)]
    requests = [
        Request(
            id=f"r{n}",
            source=f"camera{n % cameras}",
            network=f"net{int(random.integers(number))}",
            tolerated_ssim=float(random.choice((0.45, 0.7, 0.95))),
        )
        for n in range(number)
    ]
    rows = (ssim_row("first", {1: 0.4, 2: 0.6, 3: 0.9}), ssim_row("second", {1: 0.2, 4: 0.3}))
    made = instance(
        devices=_helpers(random, helpers),
        sources=[node(f"camera{n}", _rate(random), _rate(random)) for n in range(cameras)],
        networks=networks,
        requests=requests,
        table=SsimTable(source="drawn", slack=0.0, rows=rows),
    )
    return _budgeted(random, made)


def _rate(random: np.random.Generator) -> float:
    """Draw a rate from 10^3 to 10^6 with a few digits, as files have them."""
    return float(f"{10 ** random.uniform(3, 6):.{int(random.integers(1, 6))}g}")


def _helpers(random: np.random.Generator, number: int) -> list:
    alike = random.random() < 0.4
    speed, rate = _rate(random), _rate(random)
    pairs = [(speed, rate) if alike else (_rate(random), _rate(random)) for _ in range(number)]
    slow = int(random.integers(number))
    slower = 10 ** random.uniform(2, 6)
    which = str(random.choice(("speed", "speed", "rate", "both")))
    speed, rate = pairs[slow]
    pairs[slow] = (
        speed if which == "rate" else speed / slower,
        rate if which == "speed" else rate / slower,
    )
    return [node(f"helper{n}", *pair) for n, pair in enumerate(pairs)]


def _network(random: np.random.Generator, name: str, helpers: int) -> object:
    """Draw three to seven layers with few segments on helpers."""
    room = MOST_HELPER_SEGMENTS[helpers]
    length = int(random.integers(3, 8))
    maps = channels = int(random.integers(1, 3))
    size = image = int(random.integers(1, 5))
    whole = int(random.choice((0, 0, 1, 2)))
    layers: list[Layer] = []
    for k in range(length):
        inside = 0 < k < length - 1
        room -= maps if inside else 0
        row = str(random.choice(("first", "second")))
        if k >= length - whole and k > 0:
            before = layers[-1]
            neurons = before.output_neurons if before.kind == "fc" else maps * size * size
            layers.append(fc(f"l{k}", maps, (neurons, int(random.integers(1, 6)))))
            maps = 1
            continue
        kind = str(random.choice(("conv", "conv", "act", "pool")))
        if kind == "conv":
            left = max(length - 2 - k, 1)
            most = max(1, min(MOST_MAPS[helpers], room // left)) if k < length - 2 else 3
            received, maps = maps, int(random.integers(1, most + 1))
            size = int(random.integers(1, 5))
            kernel = int(random.integers(1, 4))
            layers.append(conv(f"l{k}", (received, maps), (size, size), row, kernel))
        elif kind == "act":
            layers.append(act(f"l{k}", maps, (size, size), row))
        else:
            size = (size + 1) // 2
            layers.append(pool(f"l{k}", maps, (size, size), row))
    return network(name, (channels, image, image), layers)


def _budgeted(random: np.random.Generator, made: Instance) -> Instance:
    """Let budgets bind: what a placement drawn at random needs, a little more, or a little less."""
    plans = _random_plans(random, made)
    shares = (1.0,) if random.random() < 0.6 else (1.0, 1.25, 2.0, 0.75)
    kinds = ("8d",) if random.random() < 0.6 else ("8b", "8c", "8d")
    for equation in kinds if plans is not None else ():
        carried = reference.loads(made, plans)[equation]
        for device in made.devices:
            budget = carried[device.id] * float(random.choice(shares))
            made = with_budget(made, device.id, **{reference.BUDGETS[equation]: budget})
    return made


def _random_plans(random: np.random.Generator, made: Instance) -> dict | None:
    plans = {}
    for request in made.requests:
        plan = []
        for index in range(len(reference.layers_of(made, request))):
            vectors = reference.admissible(made, request, index)
            if not vectors:
                return None
            plan.append(vectors[int(random.integers(len(vectors)))])
        plans[request.id] = tuple(plan)
    return plans


# What is wrong with an answer.


def fault(made: Instance, options: SolverOptions) -> tuple[str, str]:
    """Return the status of CP-SAT's answer, and what is wrong with it ("" if nothing is)."""
    try:
        solution = solve(made, "cpsat", options)
    except ResultError as error:
        return "error", str(error)
    if options.admission == "most":
        number, best = reference.most(made)
        status = solution.solution_status
        if solution.placement is None or len(solution.placement.requests) != number:
            claims = status in (SolutionStatus.OPTIMAL, SolutionStatus.INFEASIBLE)
            return status.value, f"expected {number} requests to be served" if claims else ""
        least = best.latency_s if number else None
    else:
        found = reference.best(made)
        least = found.latency_s if found else None
    return solution.solution_status.value, _contradiction(made, solution, least, options)


def _contradiction(
    made: Instance, solution: Solution, least_s: Fraction | None, options: SolverOptions
) -> str:
    status = solution.solution_status
    if least_s is None:
        nothing = solution.objective_s is None
        return "" if nothing else f"there is no placement, {status.value} with one"
    if solution.placement is None:
        claims = status is SolutionStatus.INFEASIBLE
        return (
            ""
            if not claims
            else f"least latency {float(least_s)!r} s, {status.value} without a placement"
        )
    if solution.bound_s is not None and solution.bound_s > float(least_s):
        return f"least latency {float(least_s)!r} s, bound {solution.bound_s!r} s"
    taken_s = check(made, solution.placement).objective_s
    within = 1 + Fraction(options.mip_gap) + Fraction(BOUND_TOLERANCE)
    if status is SolutionStatus.OPTIMAL and taken_s * (1 - (within - 1)) > least_s:
        return f"least latency {float(least_s)!r} s, optimal with {float(taken_s)!r} s"
    return ""


@dataclass
class Record:
    """What a search has found so far.

    Attributes
    ----------
    command, ortools : str
        What was run, and with which version.
    seed, instances : int
        Of the search, and how many are done.
    statuses : dict of str to int
        How often CP-SAT answered what.
    wrong : dict of str to str
        By number of the instance, what was wrong with the answer.
    """

    command: str
    ortools: str
    seed: int
    instances: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)

    def add(self, number: int) -> None:
        """Draw and check one more instance."""
        made = drawn(np.random.default_rng((self.seed, number)))
        status, complaint = fault(made, VARIANTS[number % len(VARIANTS)])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if complaint:
            self.wrong[str(number)] = complaint
        self.instances = number + 1


def main(
    instances: Annotated[int, typer.Option(min=1, help="How many to draw.")] = 5000,
    seed: Annotated[int, typer.Option(min=0, help="Of the instances.")] = 0,
    out: Annotated[Path, typer.Option(help="Record, as JSON.")] = Path("docs/cpsat-search.json"),
) -> None:
    """Draw instances, solve each with CP-SAT and by brute force, and record what differs."""
    command = f"python tests/cross_check.py --instances {instances} --seed {seed}"
    record = Record(command, version("ortools"), seed)
    if out.is_file():
        known = Record(**json.loads(out.read_text(encoding="utf-8")))
        same = (known.command, known.ortools) == (record.command, record.ortools)
        record = known if same and known.instances < instances else record
    for number in track(range(record.instances, instances), "Instances"):
        record.add(number)
        if record.instances % SAVED_EVERY == 0 or record.instances == instances:
            write_text(out, json.dumps(asdict(record), indent=1) + "\n")
    print(f"{record.instances} instances, {len(record.wrong)} wrong: {record.statuses}")
    raise typer.Exit(1 if record.wrong else 0)


if __name__ == "__main__":
    typer.run(main)
