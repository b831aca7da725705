"""A fleet of many kinds seen as one of few: at least as good in everything, so bounds hold."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from instances.generate import Recipe, generate
from optmodel.problem.arrays import NODE_FIELDS, Problem
from optmodel.problem.coarse_fleet import with_fewer_kinds
from optmodel.solving import solve

VARIED = Recipe(("lenet",), "varied", 12, 0.8)


@examples(20)
@given(st.integers(1, 12), st.integers(0, 50))
def test_every_device_becomes_as_good_as_the_best_of_its_part(few: int, seed: int):
    problem = Problem.of(generate(replace(VARIED, seed=seed), "varied"))
    seen = with_fewer_kinds(problem, few, few)
    kinds = {tuple(getattr(d, name) for name in NODE_FIELDS) for d in seen.instance.devices}
    assert len(kinds) <= few
    for device, better in zip(problem.instance.devices, seen.instance.devices, strict=True):
        assert device.id == better.id
        assert all(getattr(device, name) <= getattr(better, name) for name in NODE_FIELDS)
    assert (seen is problem) == (few == 12)


def test_few_kinds_are_left_alone():
    problem = Problem.of(generate(Recipe(("lenet",), "mixed", 9, 0.8), "mixed"))
    assert with_fewer_kinds(problem, 3, 1) is problem
    assert with_fewer_kinds(problem, 2, 2) is not problem


@pytest.mark.parametrize("few", [1, 3, 6])
def test_the_optimum_on_fewer_kinds_is_a_lower_bound(few: int):
    problem = Problem.of(generate(replace(VARIED, devices=7), "varied"))
    exact = solve(problem.instance, "stages")
    relaxed = solve(with_fewer_kinds(problem, few, few).instance, "stages")
    assert relaxed.bound_s <= exact.objective_s * (1 + 1e-9)


def test_stages_bound_a_fleet_of_very_many_kinds_by_one_of_few():
    many = generate(replace(VARIED, devices=60), "many")
    found = solve(many, "stages")
    assert 0 < found.bound_s <= found.objective_s
    assert any("so many kinds" in note for note in found.notes)
