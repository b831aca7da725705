"""The page of a named set: what each instance tests, what is known of it, how to write it."""

import textwrap
from pathlib import Path

from instances.generate import command_line
from instances.set_members import InstanceSet, Member, solution_file
from optmodel.placement import (
    PROVEN_GAP,
    Solution,
    SolutionStatus,
    milliseconds,
    percent,
    read_solution,
)

PAGE = """# {title} instances

{introduction}

`NAME.solution.json` beside `NAME.json` holds the best known placement, its latency and the best
known bound, or the reasons why there is none; `python -m optmodel.check NAME.json
NAME.solution.json` verifies it. "Proven" means that no placement is better.

| instance | what it tests | status | latency ms | bound ms |
|---|---|---|---:|---:|
{rows}

`python -m instances.sets {name}` writes the instances and this page again; each line below writes
one instance. `python -m benchmarks.best_known --instances instances/{name}/` solves them again and
keeps what is better; `make solutions` does both for every set.

```sh
{commands}
```
"""


def page(named: InstanceSet, folder: Path) -> str:
    """Return the page of a set whose solutions stand in a folder.

    Raises
    ------
    InputError
        If a solution cannot be read.
    """
    return PAGE.format(
        title=named.name.capitalize(),
        name=named.name,
        introduction=textwrap.fill(named.introduction, 100),
        rows="\n".join(_row(member, folder) for member in named.members),
        commands="\n".join(
            command_line(member.recipe, f"{member.name}.json", member.purpose)
            for member in named.members
        ),
    )


def _row(member: Member, folder: Path) -> str:
    file = solution_file(folder / f"{member.name}.json")
    solution = read_solution(file) if file.exists() else None
    cells = (
        f"`{member.name}`",
        member.purpose,
        standing(solution),
        milliseconds(solution.objective_s if solution else None),
        milliseconds(solution.bound_s if solution else None),
    )
    return f"| {' | '.join(cells)} |"


def standing(solution: Solution | None) -> str:
    """Return what is known of an instance, in a few words."""
    if solution is None:
        return "not solved"
    if solution.solution_status is SolutionStatus.INFEASIBLE:
        return "proven infeasible"
    if solution.placement is None:
        return "no placement known"
    served, rejected = len(solution.placement.requests), len(solution.placement.rejected)
    words = [f"{served} of {served + rejected} served"] if rejected else []
    if solution.gap is not None:
        words.append("proven" if solution.gap <= PROVEN_GAP else f"gap {percent(solution.gap)}")
    elif not rejected:
        words.append("no bound known")
    return ", ".join(words)
