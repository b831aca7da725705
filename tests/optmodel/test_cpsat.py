"""CP-SAT on the counts: ticks, limits, Ctrl-C, and the same answer from the same seed."""

import signal
import threading
from fractions import Fraction
from itertools import product

import pytest
import reference
from engines import QUICK
from hypothesis import given
from hypothesis import strategies as st
from ortools.sat.python import cp_model
from places import CASES
from strategies import assignments, by_hand, examples, instances, with_budget, with_fleet

from instances.generate import Recipe, generate
from optmodel import solving
from optmodel.cpsat import CpsatModel
from optmodel.cpsat import constraints as rows
from optmodel.cpsat import cpsat_run as run
from optmodel.cpsat.cpsat_ticks import CpsatTicks
from optmodel.cpsat.objective import minimise_latency
from optmodel.ground.rule_errors import InputError, ResultError
from optmodel.milp.count.variables import layers
from optmodel.milp.second_opinion import LARGEST_ACTIVITY
from optmodel.placement.solution import SolutionStatus, Termination
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance, read_instance

CPSAT = QUICK[2]


def built_for(problem: Problem, accuracy: float, horizon_s: Fraction | None = None) -> CpsatModel:
    return CpsatModel.build(problem, CpsatTicks(problem, accuracy, horizon_s))


# Ticks.


def latency_in_ticks(ticks: CpsatTicks, assignment: reference.Assignment) -> int:
    """Return the objective of an assignment as the model counts it."""
    problem = ticks.problem
    names = problem.node_ids
    total = 0
    for r, task in enumerate(problem.tasks):
        plan = assignment[task.request.id]
        for k in range(len(task.layers)):
            worst = 0
            for j in set(plan[k]):
                count = plan[k].count(j)
                compute_s = ticks.compute_s(r, k, names.index(j))
                worst = max(worst, ticks.of(compute_s) * count)
                for i in set(plan[k - 1]) - {j} if k else ():
                    send_s = ticks.transfer_s(r, k - 1, names.index(i))
                    if task.layers[k - 1].transfer == "broadcast":
                        worst = max(worst, ticks.of(send_s + compute_s) * count)
                    else:
                        maps = list(zip(plan[k - 1], plan[k], strict=True)).count((i, j))
                        worst = max(worst, ticks.of(send_s) * maps + ticks.of(compute_s) * count)
            total += worst
    return total


@pytest.mark.parametrize("accuracy", [0.0, 1e-7, 1e-2])
@examples(30)
@given(instances(), st.data())
def test_rounding_makes_a_placement_faster_by_less_than_is_stated(
    accuracy: float, made: Instance, data: st.DataObject
):
    assignment = data.draw(assignments(made))
    ticks = CpsatTicks(Problem.of(made), accuracy)
    least = latency_in_ticks(ticks, assignment) * ticks.length_s
    # An assignment may break caps, and each segment beyond them loses a tick more.
    beyond = sum(2 * layer.segments for _, _, layer in layers(ticks.problem)) * ticks.length_s
    assert least <= reference.latency(made, assignment) <= least + max(ticks.lost_s, beyond)


def largest_activity(model: cp_model.CpModel) -> int:
    """Return the largest sum of coefficients times values of one sign in a row."""
    domains = [v.domain for v in model.proto.variables]
    largest = 0
    for row in model.proto.constraints:
        terms = [
            coefficient * (domains[v][-1] if v >= 0 else 0)
            for v, coefficient in zip(row.linear.vars, row.linear.coeffs, strict=True)
        ]
        positive = sum(term for term in terms if term > 0)
        largest = max(largest, positive, positive - sum(terms))
    return largest


SLOWER = (1.0, 1e2, 1e4, 1e6)


def with_slow_helper(made: Instance, slower: float) -> Instance:
    """Return the instance with its first helper so many times slower."""
    first = made.devices[0]
    return with_budget(
        made,
        first.id,
        compute_mult_per_s=first.compute_mult_per_s / slower,
        rate_bits_per_s=first.rate_bits_per_s / slower,
    )


@pytest.mark.parametrize("slower", SLOWER)
@pytest.mark.parametrize("within_the_optimum", [False, True])
@examples(15)
@given(instances())
def test_every_row_stays_clear_of_2_to_the_31(
    slower: float, within_the_optimum: bool, made: Instance
):
    made = with_slow_helper(made, slower)
    best = reference.best(made)
    horizon_s = best.latency_s if within_the_optimum and best else None
    built = built_for(Problem.of(made), 0.0, horizon_s)
    # A duration beyond the horizon counts one tick more than the horizon has.
    assert largest_activity(built.model) <= LARGEST_ACTIVITY * (1 + 1e-6)


def test_layers_of_1e15_multiplications_stay_clear_of_it_too():
    made = generate(Recipe(("vgg16",), "mixed", 20, 0.8, requests=3), "vgg16")
    (network,) = made.networks
    layers_ = list(network.layers)
    layers_[-2] = layers_[-2].model_copy(update={"output_neurons": 97_654_321})
    layers_[-1] = layers_[-1].model_copy(update={"input_neurons": 97_654_321})
    network = network.model_copy(update={"layers": tuple(layers_)})
    made = made.model_copy(update={"networks": (network,)})
    built = built_for(Problem.of(made), 0.0)
    assert largest_activity(built.model) <= LARGEST_ACTIVITY


@examples(30)
@given(instances(), st.sampled_from(SLOWER))
def test_the_best_placement_lies_within_its_own_latency_as_horizon(made: Instance, slower: float):
    made = with_slow_helper(made, slower)
    best = reference.best(made)
    if best is None:
        return
    built = built_for(Problem.of(made), 0.0, best.latency_s)
    minimise_latency(built.model, built.variables)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(built.model) == cp_model.OPTIMAL
    bound_s = round(solver.best_objective_bound) * built.ticks.length_s
    assert best.latency_s - built.ticks.lost_s <= bound_s <= best.latency_s
    assert built.ticks.lost_s < best.latency_s * Fraction(1, 10**5)


AMOUNTS = ((3, 5), (17, 5, 29), (1023, 511, 77), (2**40 + 3, 2**33 - 1, 5))


@pytest.mark.parametrize("amounts", AMOUNTS, ids=str)
def test_budgets_in_digits_admit_what_the_budget_does(monkeypatch, amounts: tuple[int, ...]):
    monkeypatch.setattr(rows, "LARGEST_ACTIVITY", 40)
    loads = {n: sum(map(int.__mul__, amounts, n)) for n in product(range(3), repeat=len(amounts))}
    for budget in {load + off for load in loads.values() for off in (-1, 0) if load + off >= 0}:
        model = cp_model.CpModel()
        variables = [model.new_int_var(0, 2, "") for _ in amounts]
        rows._add_row(model, list(zip(amounts, variables, strict=True)), budget)
        for numbers, load in loads.items():
            fixed = model.clone()
            for variable, number in zip(variables, numbers, strict=True):
                fixed.add(fixed.get_int_var_from_proto_index(variable.index) == number)
            solver = cp_model.CpSolver()
            solver.parameters.num_workers = 1
            assert (solver.solve(fixed) == cp_model.OPTIMAL) == (load <= budget)


# Instances on which its presolve went wrong, with the right answers.


@pytest.mark.parametrize("threads", [None, 1])
@pytest.mark.parametrize(
    ("name", "options", "optimum_s"),
    [
        ("cpsat-wrong-optimum-a", {}, 0.238298568),
        ("cpsat-wrong-bound-b", {}, 0.085875771),
        ("cpsat-false-infeasible", {"mip_gap": 0.0}, 0.031341176),
        ("cpsat-admission-most-crash", {"admission": "most"}, 0.190014950),
    ],
)
def test_what_presolve_got_wrong_is_right(
    name: str, options: dict[str, object], optimum_s: float, threads: int | None
):
    made = read_instance(CASES / f"{name}.json")
    solution = CPSAT.solve(made, threads=threads, **options)
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert solution.objective_s == pytest.approx(optimum_s, rel=1e-7)
    assert optimum_s * (1 - 1e-6) <= solution.bound_s <= solution.objective_s


def test_a_failure_without_a_hint_is_not_hidden(monkeypatch):
    def fails(*_: object) -> None:
        raise IndexError("absl::btree_map::at")

    problem = Problem.of(by_hand())
    built = CpsatModel.build(problem, CpsatTicks(problem, 1e-6))
    monkeypatch.setattr(cp_model.CpSolver, "solve", fails)
    with pytest.raises(IndexError, match="btree_map"):
        built.solve(cp_model.CpSolver())


def test_a_slow_helper_costs_no_accuracy():
    """The second round counts in the ticks that the placement of the first one allows."""
    made = with_slow_helper(by_hand(), 1e9)
    best_s = float(reference.best(made).latency_s)
    solution = CPSAT.solve(made)
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert best_s * (1 - 2e-6) <= solution.bound_s <= solution.objective_s == pytest.approx(best_s)


def test_an_infeasibility_that_highs_contradicts_is_an_error(monkeypatch):
    monkeypatch.setattr(CpsatModel, "solve", lambda *_: cp_model.INFEASIBLE)
    monkeypatch.setattr(
        run.cp_model.CpSolver, "best_objective_bound", property(lambda _: 0.0), raising=False
    )
    monkeypatch.setattr(solving, "offer_start", lambda _: None)
    with pytest.raises(ResultError, match=r"cpsat claims that not all .* found by HiGHS serves"):
        CPSAT.solve(by_hand())


def test_an_infeasibility_that_the_start_contradicts_is_an_error(monkeypatch):
    monkeypatch.setattr(CpsatModel, "solve", lambda *_: cp_model.INFEASIBLE)
    with pytest.raises(ResultError, match=r"cpsat claims .* found by the default heuristic"):
        CPSAT.solve(by_hand())


def test_ticks_are_as_long_as_the_accuracy_allows():
    problem = Problem.of(by_hand())
    coarse, fine = CpsatTicks(problem, 1e-2), CpsatTicks(problem, 1e-4)
    rough_s = Fraction(100 * problem.time_unit_s)
    assert coarse.lost_s == pytest.approx(rough_s / 100)
    assert fine.length_s * 100 == pytest.approx(coarse.length_s)
    assert CpsatTicks(problem, 1e-2, rough_s / 4).length_s * 4 == pytest.approx(coarse.length_s)


@pytest.mark.parametrize("gap", [0.0, 1e-6, 1e-3, 0.1])
def test_the_bound_never_exceeds_brute_force_and_the_note_says_why(gap: float):
    solution = CPSAT.solve(by_hand(), mip_gap=gap)
    best_s = float(reference.best(by_hand()).latency_s)
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert best_s * (1 - gap - 1e-6) <= solution.bound_s <= best_s
    assert solution.objective_s <= best_s * (1 + gap)
    (note,) = solution.notes
    assert "rounded down" in note


def test_numbers_beyond_64_bits_are_refused():
    """Only a batch of thousands of requests at the file format's limits has such numbers."""
    model = cp_model.CpModel()
    model.add(2**62 * model.new_int_var(0, 512, "x") <= 2**62)
    with pytest.raises(InputError, match="method: expected costs and budgets within 64"):
        run._require_valid(model)


def test_the_largest_budget_of_the_format_does_not_bind():
    solution = CPSAT.solve(with_fleet(by_hand(), "compute_budget_mult", (1e18, 1e18, 1e18)))
    best_s = float(reference.best(by_hand()).latency_s)
    assert solution.objective_s == pytest.approx(best_s, rel=1e-9)


HARD = generate(Recipe(("lenet",), "mixed", 4, 0.8, requests=4), "hard")


def press_ctrl_c_at_the_first_solution(monkeypatch) -> None:
    """Send the signal to the main thread, which is where the system sends it."""
    offer = run._OfferingCallback.on_solution_callback
    pressed: list[bool] = []

    def interrupted(self) -> None:
        offer(self)
        if not pressed:
            pressed.append(True)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    monkeypatch.setattr(run._OfferingCallback, "on_solution_callback", interrupted)


def test_ctrl_c_keeps_the_incumbent_and_the_bound(monkeypatch):
    press_ctrl_c_at_the_first_solution(monkeypatch)
    handler = signal.getsignal(signal.SIGINT)
    solution = CPSAT.solve(HARD)
    assert solution.termination is Termination.INTERRUPTED
    assert solution.solution_status is SolutionStatus.FEASIBLE
    assert solution.bound_s is None or solution.objective_s > solution.bound_s
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_while_the_number_of_requests_is_open_ends_the_run(monkeypatch):
    press_ctrl_c_at_the_first_solution(monkeypatch)
    solution = CPSAT.solve(HARD, admission="most")
    assert solution.termination is Termination.INTERRUPTED
    assert solution.solution_status is SolutionStatus.FEASIBLE


def test_the_same_seed_gives_the_same_placement_on_any_number_of_threads():
    made = generate(Recipe(("lenet",), "mixed", 4, 0.8), "seeded")
    one, other = (CPSAT.solve(made, seed=7, threads=threads) for threads in (1, 2))
    assert one.placement == other.placement
    assert one.solution_status is SolutionStatus.OPTIMAL


def test_presolve_can_be_turned_off():
    solution = CPSAT.solve(by_hand(), presolve=False)
    assert solution.objective_s == pytest.approx(float(reference.best(by_hand()).latency_s))


def test_the_model_speaks_of_counts_and_not_of_segments():
    sizes = {
        maps: len(built_for(Problem.of(_wide(maps)), 0.0).model.proto.variables)
        for maps in (3, 300)
    }
    assert sizes[3] == sizes[300]


def _wide(maps: int) -> Instance:
    """Return the instance by hand with so many maps in its first block, none of them at risk."""
    made = by_hand(1.0)
    (network,) = made.networks
    first, act, second, *rest = network.layers
    wider = (
        first.model_copy(update={"output_maps": maps}),
        act.model_copy(update={"input_maps": maps}),
        second.model_copy(update={"input_maps": maps}),
    )
    network = network.model_copy(update={"layers": (*wider, *rest)})
    return made.model_copy(update={"networks": (network,)})
