"""CP-SAT on the counts: ticks, limits, Ctrl-C, and the same answer from the same seed."""

import signal
import threading
from fractions import Fraction

import pytest
import reference
from engines import QUICK
from hypothesis import given
from hypothesis import strategies as st
from ortools.sat.python import cp_model
from strategies import assignments, by_hand, examples, instances, with_fleet

from instances.generate import Recipe, generate
from optmodel.count.variables import layers
from optmodel.cpsat import CpsatModel, run
from optmodel.cpsat.ticks import LARGEST_DURATION, LARGEST_OBJECTIVE, Ticks
from optmodel.files import InputError
from optmodel.instance import Instance
from optmodel.problem import Problem
from optmodel.solution import SolutionStatus, Termination

CPSAT = QUICK[2]


# Ticks.


def latency_in_ticks(ticks: Ticks, assignment: reference.Assignment) -> int:
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
@examples(60)
@given(instances(), st.data())
def test_rounding_makes_a_placement_faster_by_less_than_is_stated(
    accuracy: float, made: Instance, data: st.DataObject
):
    assignment = data.draw(assignments(made))
    ticks = Ticks(Problem.of(made), accuracy)
    least = latency_in_ticks(ticks, assignment) * ticks.length_s
    # An assignment may break caps, and each segment beyond them loses a tick more.
    beyond = sum(2 * layer.segments for _, _, layer in layers(ticks.problem)) * ticks.length_s
    assert least <= reference.latency(made, assignment) <= least + max(ticks.lost_s, beyond)


def test_coefficients_stay_below_2_to_the_31_and_the_objective_below_2_to_the_53():
    ticks = Ticks(Problem.of(generate(Recipe(("vgg16",), "mixed", 20, 0.8), "vgg16")), 0.0)
    latest = [ticks.latest(r, k) for r, k, _ in layers(ticks.problem)]
    caps = [layer.cap for _, _, layer in layers(ticks.problem)]
    largest = max(late / cap for late, cap in zip(latest, caps, strict=True))
    assert LARGEST_DURATION / 2 < largest <= LARGEST_DURATION + 1
    assert sum(latest) <= LARGEST_OBJECTIVE


def test_ticks_are_as_long_as_the_accuracy_allows():
    problem = Problem.of(by_hand())
    coarse, fine = Ticks(problem, 1e-2), Ticks(problem, 1e-4)
    rough_s = Fraction(100 * problem.time_unit_s)
    assert coarse.lost_s == pytest.approx(rough_s / 100)
    assert fine.length_s * 100 == pytest.approx(coarse.length_s)


@pytest.mark.parametrize("gap", [0.0, 1e-6, 1e-3, 0.1])
def test_the_bound_never_exceeds_brute_force_and_the_note_says_why(gap: float):
    solution = CPSAT.solve(by_hand(), mip_gap=gap)
    best_s = float(reference.best(by_hand()).latency_s)
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert best_s * (1 - gap - 1e-6) <= solution.bound_s <= best_s
    assert solution.objective_s <= best_s * (1 + gap)
    (note,) = solution.notes
    assert "rounded down" in note


# Limits.


def test_numbers_beyond_64_bits_are_refused():
    """Only a batch of thousands of requests at the file format's limits has such numbers."""
    model = cp_model.CpModel()
    model.add(2**62 * model.new_int_var(0, 512, "x") <= 2**62)
    with pytest.raises(InputError, match="--method cpsat: expected costs and budgets within 64"):
        run._require_valid(model)


def test_a_budget_beyond_64_bits_does_not_bind():
    solution = CPSAT.solve(with_fleet(by_hand(), "compute_budget_mult", (1e30, 1e30, 1e30)))
    best_s = float(reference.best(by_hand()).latency_s)
    assert solution.objective_s == pytest.approx(best_s, rel=1e-9)


HARD = generate(Recipe(("lenet",), "mixed", 4, 0.8, requests=4), "hard")


def press_ctrl_c_at_the_first_solution(monkeypatch) -> None:
    """Send the signal to the main thread, which is where the system sends it."""
    offer = run._Offering.on_solution_callback
    pressed: list[bool] = []

    def interrupted(self) -> None:
        offer(self)
        if not pressed:
            pressed.append(True)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    monkeypatch.setattr(run._Offering, "on_solution_callback", interrupted)


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
        maps: len(CpsatModel.build(Problem.of(_wide(maps)), "all", 0.0).model.proto.variables)
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
