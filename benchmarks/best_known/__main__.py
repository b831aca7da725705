"""Keep the best known solution beside every instance: `python -m benchmarks.best_known`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.best_known.__main__")

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from pathlib import Path

from benchmarks.best_known.better_of import better_of, is_proven
from benchmarks.common.command import (
    TIME_LIMIT_S,
    Faults,
    InstancesOption,
    MethodOption,
    SolverOption,
    TimeLimitOption,
    instance_files,
    print_table,
    progress,
)
from benchmarks.common.origins import SOLVING
from heuristics.improvement import improve_solution
from heuristics.policies import place
from instances.json_layout import write_laid_out
from instances.set_members import solution_file
from instances.set_page import standing
from optmodel.checker import check_solution
from optmodel.ground.command_line import (
    MipGapOption,
    SeedOption,
    ThreadsOption,
    console,
    require_choice,
)
from optmodel.ground.file_lock import FileLock
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import require_writable
from optmodel.milp import require_solver
from optmodel.placement import (
    Solution,
    SolutionStatus,
    Termination,
    milliseconds,
    percent,
    read_solution,
)
from optmodel.problem import Instance, digest, read_instance
from optmodel.search import SolverOptions
from optmodel.solving import METHODS, solve

CODE = "code_sha256"
"""Option of a stored solution: digest of the code and packages that looked for a better one."""


class SolutionUpdate(StrEnum):
    """What a run did for the solution file of an instance."""

    KEPT = "kept"
    """Nothing: this code has proven it, or spent as much effort on it before."""
    SOLVED = "solved"
    """Wrote the first one for this content of the instance."""
    IMPROVED = "improved"
    """Found a better placement, a better bound, or both."""
    NOT_IMPROVED = "not improved"
    """Solved the instance again, and found nothing better."""


@dataclass(frozen=True)
class BestKnown:
    """The best known solution of an instance, and what this run did for it."""

    solution: Solution
    outcome: SolutionUpdate


def update(file: Path, method: str, options: SolverOptions) -> BestKnown:
    """Solve an instance if there is something to gain, and keep the better solution beside it.

    Where the method leaves a gap, the better placement is improved for as much time again.

    Parameters
    ----------
    file : Path
        The instance.
    method, options : str, SolverOptions
        As `solve` takes them.

    Raises
    ------
    InputError
        If the instance or its solution file cannot be used.
    ResultError
        If the new solution fails the checker, or contradicts the one that stands.
    KeyboardInterrupt
        If solver or improvement were interrupted; what they had found is kept if it is better.
    """
    instance, target = read_instance(file), solution_file(file)
    require_writable(target, file)
    with FileLock(target):
        return _updated(target, instance, method, options)


def _updated(target: Path, instance: Instance, method: str, options: SolverOptions) -> BestKnown:
    known = _standing_solution(target, instance)
    enough = known and (is_proven(known, options.mip_gap) or _is_spent(known, method, options))
    if known and enough and _is_of_this_code(known):
        return BestKnown(known, SolutionUpdate.KEPT)
    new = solve(instance, method, options)
    best = better_of(known, new, options.mip_gap) if known else new
    best = _or_greedy(best, instance, options.mip_gap)
    left = best.placement is not None and not is_proven(best, options.mip_gap)
    if left and new.termination is not Termination.INTERRUPTED:
        new = _improved(best, new, instance, options)
        best = better_of(best, new, options.mip_gap)
    if new.termination is not Termination.INTERRUPTED:
        best = _by_this_code(best)
    if best != known:
        write_laid_out(target, best)
    if new.termination is Termination.INTERRUPTED:
        raise KeyboardInterrupt
    return BestKnown(best, _outcome(known, best))


def _improved(
    best: Solution, run: Solution, instance: Instance, options: SolverOptions
) -> Solution:
    """Return what improvement makes of the best solution, as a part of the run just made."""
    of_placement = ("placement", "objective_s", "bound_s", "gap", "latency", "solution_status")
    start = run.model_copy(update={name: getattr(best, name) for name in of_placement})
    limit_s, seed = options.time_limit_s, options.seed or 0
    return improve_solution(instance, start, limit_s, gap=options.mip_gap, seed=seed)


def _or_greedy(best: Solution, instance: Instance, mip_gap: float) -> Solution:
    """Return Algorithm 1's placement with the bound that is known where no better one is known."""
    if best.placement is not None or best.solution_status is SolutionStatus.INFEASIBLE:
        return best
    greedy = place(instance, "algorithm1", with_bound=False)
    return (
        best
        if greedy.solution_status is not SolutionStatus.FEASIBLE
        else better_of(best, greedy, mip_gap)
    )


def _standing_solution(file: Path, instance: Instance) -> Solution | None:
    """Return the solution that stands in a file, None if it is for other content."""
    if not file.exists():
        return None
    solution = read_solution(file)
    if solution.instance_sha256 != digest(instance):
        return None
    violations = check_solution(instance, solution).violations
    if violations:
        raise InputError(
            f"{file}: expected a solution that passes the checker, got one that does not: "
            f"{violations[0]}; delete it"
        )
    return solution


def _is_spent(solution: Solution, method: str, options: SolverOptions) -> bool:
    """Return whether the solution tells of a finished run with at least this effort."""
    told, cut = solution.options, (Termination.INTERRUPTED, Termination.ERROR)
    if (solution.method, told.get("solver")) != (method, options.solver):
        return False
    if solution.termination in cut or options.time_limit_s is None:
        return False
    spent = ["time_limit_s"] if solution.placement is None else ["time_limit_s", "improve_s"]
    return all(_number(told.get(name)) >= options.time_limit_s for name in spent) and (
        _number(told.get("mip_gap"), inf) <= options.mip_gap
    )


def _is_of_this_code(solution: Solution) -> bool:
    """Return whether this code and these packages found it, or found nothing better."""
    return solution.options.get(CODE) == SOLVING.sha256


def _by_this_code(solution: Solution) -> Solution:
    options = {**solution.options, CODE: SOLVING.sha256}
    return solution.model_copy(update={"options": options})


def _number(value: str | float | bool | None, otherwise: float = 0.0) -> float:
    """Return what an option says as a number."""
    return value if isinstance(value, int | float) else otherwise


def _outcome(known: Solution | None, best: Solution) -> SolutionUpdate:
    if known is None:
        return SolutionUpdate.SOLVED
    same = (known.objective_s, known.bound_s, known.solution_status)
    if same == (best.objective_s, best.bound_s, best.solution_status):
        return SolutionUpdate.NOT_IMPROVED
    return SolutionUpdate.IMPROVED


def main(
    instances: InstancesOption,
    method: MethodOption = "auto",
    solver: SolverOption = "highs",
    time_limit: TimeLimitOption = TIME_LIMIT_S,
    mip_gap: MipGapOption = 1e-6,
    threads: ThreadsOption = None,
    seed: SeedOption = None,
) -> None:
    """Solve instances and keep the best known solution of each beside it.

    Where the method leaves a gap, the best placement is improved for as many seconds again. What
    this code has proven, or given as much time before, is not solved again; a worse solution never
    replaces a better one; each file is written as soon as it is known, so that a killed run can be
    taken up again. Exit code 1 if a result is wrong, 2 if a file cannot be used.

    Example: python -m benchmarks.best_known --instances instances/medium/ --time-limit 60
    """
    require_choice("method", method, METHODS)
    require_solver(solver)
    options = SolverOptions(solver, time_limit, mip_gap, threads, seed)
    best: dict[str, BestKnown] = {}
    faults = Faults()
    files = instance_files("--instances", instances)
    try:
        for file in progress(files, "Solving"):
            with faults.noted(file):
                best[file.stem] = update(file, method, options)
    finally:
        if best:
            _print(best)
        faults.print()
    faults.exit_if_any()


def _print(best: dict[str, BestKnown]) -> None:
    """Print a line per instance, and how many are proven."""
    rows = (
        (
            *(name, standing(known.solution), str(known.outcome)),
            *(milliseconds(known.solution.objective_s), milliseconds(known.solution.bound_s)),
            f"{known.solution.wall_time_s:.1f}",
        )
        for name, known in best.items()
    )
    texts, numbers = ("instance", "status", "this run"), ("latency ms", "bound ms", "s")
    print_table(console, texts, numbers, rows)
    console.print(_summary([known.solution for known in best.values()]), markup=False)
    kept = sum(known.outcome is SolutionUpdate.KEPT for known in best.values())
    console.print(f"{kept} kept as this code has found them, {len(best) - kept} solved")


def _summary(solutions: list[Solution]) -> str:
    status = Counter(standing(solution) for solution in solutions)
    proven, infeasible = status["proven"], status["proven infeasible"]
    text = f"{len(solutions)} instances: {proven} proven, {infeasible} proven infeasible, "
    text += f"{len(solutions) - proven - infeasible} open"
    gaps = [s.gap for s in solutions if s.gap is not None]
    return f"{text}; worst gap {percent(max(gaps))}" if gaps else text
