"""Solve an instance exactly: run a method on it, check what it returns."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

from optmodel.auto import solve_auto
from optmodel.batch import solve_columns
from optmodel.cpsat import solve_cpsat, solve_milp_or_cpsat
from optmodel.ground.rule_errors import OptionError, one_line
from optmodel.ground.whole_files import write_text
from optmodel.limits import reasons_infeasible
from optmodel.milp import SECONDS_PER_PAIR, CountModel, Formulation, SegmentModel, moving_pairs
from optmodel.online import offer_start
from optmodel.placement import (
    Rejection,
    Solution,
    SolutionStatus,
    Termination,
    to_document,
)
from optmodel.problem import Instance, Problem
from optmodel.search import Search, SolverOptions
from optmodel.solution_builder import bare_solution, with_bound, with_placement
from optmodel.stages import solve_stages

FORMULATIONS: dict[str, type[Formulation]] = {"segment": SegmentModel, "count": CountModel}
"""Formulations that Pyomo hands to a MILP solver, by name."""

Method = Callable[[Search], Termination]

UNUSED = "{method}: came to its result without the solver {solver} that was asked for"

TOO_LARGE = (
    "{method}: its model cannot be built within the time limit; this is where it would have started"
)

METHODS: dict[str, Method] = {
    **{
        name: partial(solve_milp_or_cpsat, formulation=model)
        for name, model in FORMULATIONS.items()
    },
    "cpsat": solve_cpsat,
    "stages": solve_stages,
    "columns": solve_columns,
    "auto": solve_auto,
}
"""Exact methods by name."""


def solve(
    instance: Instance, method: str = "auto", options: SolverOptions | None = None
) -> Solution:
    """Find a placement of least latency, or prove that there is none.

    Parameters
    ----------
    instance : Instance
        What is to be placed.
    method : str
        A key of `METHODS`.
    options : SolverOptions, optional
        Solver, limits, gap, admission.

    Returns
    -------
    Solution
        Its placement has passed the checker and its objective is recomputed exactly. A time
        limit or Ctrl-C gives the incumbent and the bound.

    Raises
    ------
    InputError
        If the solver is not installed or lacks an option.
    ResultError
        If the placement is none, or contradicts what an engine claims to have proven.
    """
    return solve_by(METHODS[method], instance, method, options or SolverOptions())


def solve_by(method: Method, instance: Instance, name: str, options: SolverOptions) -> Solution:
    """Run any method as `solve` runs those that it knows.

    Parameters
    ----------
    method : callable
        Takes the search, and returns why it ended.
    instance, options : Instance, SolverOptions
        As for `solve`.
    name : str
        What the solution calls the method.

    Raises
    ------
    InputError, ResultError
        As `solve`.
    """
    search = Search(instance, options)
    reasons = reasons_infeasible(search.problem) if options.admission == "all" else ()
    if reasons:
        search.infeasible = True
        termination = Termination.CONVERGED
    else:
        termination = _run(method, name, search)
    if options.solver not in (SolverOptions.solver, search.solver):
        search.notes.append(UNUSED.format(method=name, solver=options.solver))
    return _conclude(search, name, termination, reasons)


def _run(method: Method, name: str, search: Search) -> Termination:
    """Run a method from what the default heuristic places.

    Ctrl-C ends it and costs nothing that was handed over.
    """
    try:
        with search.phase("start"):
            offer_start(search)
        if _too_large(name, search):
            search.notes.append(TOO_LARGE.format(method=name))
            return Termination.TIME_LIMIT
        with search.phase("solve"), search.speaking(name):
            return method(search)
    except KeyboardInterrupt:
        return Termination.INTERRUPTED


def _too_large(method: str, search: Search) -> bool:
    """Tell whether a model in one piece takes longer to build than there is time left.

    Nothing can stop the building but Ctrl-C.
    """
    if method not in (*FORMULATIONS, "cpsat"):
        return False
    pairs = moving_pairs(search.problem, by_segment=method == "segment")
    return pairs * SECONDS_PER_PAIR > search.left_s


def export_lp(instance: Instance, method: str, path: Path) -> str:
    """Write the model of a formulation as an LP file, with the names of its formulation.

    A method that is no formulation gives the count formulation. Comments at the top say in which
    unit latencies count, and what the indices mean. Returns which one was written.

    Raises
    ------
    InputError
        If a layer has no host, so that there is no model.
    """
    problem = Problem.of(instance)
    if any(task.unattainable for task in problem.tasks):
        raise OptionError(
            "lp",
            f"expected an instance whose layers all have a host, got '{instance.name}', where "
            f"{reasons_infeasible(problem)[0]}; raise the tolerance or leave the LP file out",
        )
    name = method if method in FORMULATIONS else "count"
    model = FORMULATIONS[name].build(problem).pyomo_model
    model.name = name  # Else that of the instance, in a comment that it could end.
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "model.lp"
        model.write(str(written), io_options={"symbolic_solver_labels": True})
        legend = "".join(f"\\ {one_line(line)}\n" for line in _legend(problem))
        write_text(path, legend + written.read_text(encoding="utf-8"))
    return name


def _legend(problem: Problem) -> Iterator[str]:
    """Yield what units and indices of a model mean: a request, a layer of it, nodes."""
    yield f"Instance '{problem.instance.name}'."
    yield f"Latencies, and with them the objective, count in units of {problem.time_unit_s!r} s."
    yield "Indices are those of these requests, layers and nodes, in this order:"
    for r, task in enumerate(problem.tasks):
        yield f"request {r}: '{task.request.id}', network '{task.request.network}'"
    for network in problem.instance.networks:
        for k, layer in enumerate(network.layers):
            yield f"layer {k} of network '{network.id}': '{layer.name}'"
    for i, node in enumerate(problem.node_ids):
        yield f"node {i}: '{node}'"


def _conclude(
    search: Search, method: str, termination: Termination, reasons: tuple[str, ...]
) -> Solution:
    """Return the checked solution of a finished search."""
    instance = search.problem.instance
    status = SolutionStatus.INFEASIBLE if search.infeasible else SolutionStatus.NONE
    options = asdict(search.options)
    bare = bare_solution(
        instance, method, termination, search.elapsed_s, options, search.solver, status
    )
    known = {
        "solver_version": search.solver_version,
        "phases_s": search.phases_s,
        "most_served": search.most_served,
        "trace": tuple(search.trace),
        "notes": tuple(search.notes),
        "reasons": reasons,
    }
    solution = bare.model_copy(update=known)
    if search.incumbent is None:
        return solution if search.infeasible else with_bound(solution, search.bound_s)
    document = to_document(search.problem, search.incumbent, tuple(_left_out(search)))
    with search.phase("check"):
        solution = with_placement(solution, instance, document)
    solution = with_bound(solution, search.agreed_bound(solution.objective_s))
    # The check has taken time, and its latency is exact: only now the gap says what is proven.
    status = SolutionStatus.OPTIMAL if search.closed else SolutionStatus.FEASIBLE
    update = {"solution_status": status, "wall_time_s": search.elapsed_s}
    return solution.model_copy(update=update | {"phases_s": search.phases_s})


def _left_out(search: Search) -> Iterator[Rejection]:
    """Yield the requests that the incumbent does not serve, with admission "most"."""
    why = "the optimum leaves it out" if search.closed else "the best placement found leaves it out"
    for task in search.problem.tasks:
        if search.incumbent is not None and task.request.id not in search.incumbent.requests:
            yield Rejection(
                request=task.request.id,
                condition=f"{why}, which serves {search.served} of "
                f"{len(search.problem.tasks)} requests",
            )
