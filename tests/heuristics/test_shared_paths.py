"""Paths and policies that runs share: they save time and change no run."""

from simulated import A, B, comes, fleet

from heuristics.scheduler import OnlineScheduler
from instances.generate import Recipe, generate
from optmodel.online.algorithm1 import Algorithm1
from optmodel.online.stage_paths import StagePaths
from optmodel.problem.arrays import Problem


def problem(network: str) -> Problem:
    return Problem.of(generate(Recipe((network,), "mixed", 6), network))


def test_without_shared_arcs_a_path_does_not_depend_on_those_found_before():
    alone, after_others = (StagePaths(shares_arcs=False) for _ in range(2))
    for network in ("lenet", "cifar_block3"):
        before = problem(network)
        after_others.find(before, before.tasks[0])
    asked = problem("cifar_cnn")
    first, second = (paths.find(asked, asked.tasks[0]) for paths in (alone, after_others))
    assert first.bound_s == second.bound_s
    assert repr(first.path) == repr(second.path)


def test_so_many_fleets_are_remembered():
    one, other = problem("lenet"), Problem.of(generate(Recipe(("lenet",), "mixed", 7), "other"))
    for most, is_known in ((1, False), (2, True)):
        paths = StagePaths(most)
        found = paths.find(one, one.tasks[0])
        paths.find(other, other.tasks[0])
        assert (paths.find(one, one.tasks[0]) is found) is is_known


def test_a_decider_of_ones_own_is_asked_instead_of_a_new_policy():
    class Counting(Algorithm1):
        asked = 0

        def place(self, problem, task, left):
            Counting.asked += 1
            return super().place(problem, task, left)

    scheduler = OnlineScheduler(fleet(A, B), "algorithm1", decider=Counting())
    assert scheduler.submit(comes("r1", 0).event.request).placement is not None
    assert Counting.asked == 1


def test_what_is_reserved_is_what_is_missing_from_what_is_left():
    scheduler = OnlineScheduler(fleet(A), "algorithm1")
    full = scheduler.left()
    scheduler.submit(comes("r1", 0).event.request)
    reserved = scheduler.reserved("r1")
    left = scheduler.left()
    missing = {
        name: tuple(a - b for a, b in zip(full[name], left[name], strict=True)) for name in full
    }
    assert reserved == {name: load for name, load in missing.items() if any(load)}
    assert reserved["a"][2] == 1024
