"""Means, profiles, goals and pictures of measured runs are those computed by hand."""

from math import inf

import pytest
from matplotlib.figure import Figure
from places import SMALL
from runs import killed, took, unproven

from benchmarks.runtime.run_statistics import (
    charged_seconds,
    factors_of_best,
    shifted_geometric_mean,
    speed_ups,
)
from benchmarks.runtime.runtime_plot import (
    plot_profile,
    plot_run_times,
    plot_scaling,
    save_runtime_plot,
    save_scaling_plot,
)
from benchmarks.runtime.runtime_record import RunRecord
from benchmarks.runtime.runtime_table import print_methods, print_targets
from benchmarks.runtime.scaling import Series
from benchmarks.runtime.speed_targets import Goal, RuntimeTarget
from optmodel.ground.command_line import console
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.instance import read_instance

LENET = read_instance(SMALL / "lenet-0.4-3-mixed.json")


def test_the_shifted_geometric_mean_is_that_computed_by_hand():
    # sqrt((0 + 1) (3 + 1)) - 1 = 2 - 1, and cbrt(2 * 4 * 8) - 1 = 4 - 1
    assert shifted_geometric_mean([0.0, 3.0]) == pytest.approx(1.0)
    assert shifted_geometric_mean([1.0, 3.0, 7.0]) == pytest.approx(3.0)
    assert shifted_geometric_mean([0.0, 30.0], shift=10.0) == pytest.approx(10.0)


def test_the_performance_profile_is_that_computed_by_hand():
    runs = {
        "quick": {"a": took(1.0), "b": took(6.0), "c": took(1.0), "d": unproven(60.0)},
        "steady": {"a": took(2.0), "b": took(2.0), "c": unproven(60.0), "d": killed()},
        "late": {"a": took(4.0), "b": took(2.0), "c": took(1.5), "d": took(9.0), "e": took(1.0)},
    }
    factors = factors_of_best(runs)
    assert factors["quick"] == pytest.approx([1, 1, 3])  # a, c, b
    assert factors["steady"] == pytest.approx([1, 2])  # b, a
    assert factors["late"] == pytest.approx([1, 1, 1.5, 4])  # b, d, c, a; e is not shared
    ax = Figure().subplots()
    plot_profile(ax, runs)
    shares = {line.get_label(): list(line.get_ydata()) for line in ax.get_lines()}
    assert shares["quick"] == pytest.approx([0, 25, 50, 75, 75])
    assert shares["late"][-1] == pytest.approx(100)


def test_a_run_without_proof_is_charged_its_time_limit():
    assert charged_seconds(took(3.0)) == 3.0
    assert charged_seconds(unproven(3.0)) == 60.0
    assert charged_seconds(unproven(61.0)) == 61.0
    assert charged_seconds(killed()) == 90.0


def test_speed_ups_compare_what_the_baseline_proved_with_a_solver():
    baseline = {
        "a": took(10.0),
        "b": took(8.0),
        "c": unproven(60.0),
        "d": took(5.0, solver=None, solution_status=SolutionStatus.INFEASIBLE),
        "e": took(9.0),
    }
    other = {"a": took(0.1), "b": took(4.0), "c": took(1.0), "d": took(5.0), "e": killed()}
    ratios, missed = speed_ups(baseline, other)
    assert ratios == pytest.approx([100, 2])
    assert missed == ["e"]


def test_a_goal_is_reached_by_every_instance_or_by_the_median():
    quick, slow = took(1.0), took(9.0)
    assert Goal(0.0, 9.0).reached([quick, slow])
    assert not Goal(0.0, 8.9).reached([quick, slow])
    assert Goal(0.0, 1.0, median=True).reached([quick, quick, slow])
    assert not Goal(0.0, 0.9, median=True).reached([quick, quick, slow])


def test_a_goal_needs_a_certified_gap_on_a_whole_batch():
    within = took(1.0, gap=0.02, solution_status=SolutionStatus.FEASIBLE)
    assert Goal(0.02, 5).reached([within])
    assert not Goal(0.019, 5).reached([within])
    assert not Goal(inf).reached([took(1.0, gap=None, solution_status=SolutionStatus.FEASIBLE)])
    assert not Goal(inf).reached([took(1.0, rejected=1)])
    assert not Goal(inf).reached([killed()])
    assert not Goal(inf).reached([])


def test_a_run_stopped_by_its_limit_is_within_the_limit():
    stopped = {"gap": 0.01, "solution_status": SolutionStatus.FEASIBLE, "termination": "time_limit"}
    assert Goal(0.02, 300).reached([took(301.0, **stopped)])
    assert not Goal(0.02, 300).reached([took(310.0, **stopped)])
    assert not Goal(0.02, 300).reached([took(301.0)])


def test_the_target_table_says_what_is_reached(capsys):
    target = RuntimeTarget("LeNet", (LENET,), Goal(1e-6, 2), Goal(1e-6, 0.1))
    runs = {"segment": {LENET.name: took(150.0)}, "count": {LENET.name: took(1.0)}}
    print_targets(console, [target], runs, "segment")
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert any(
        line.startswith("LeNet count 1/1") and line.endswith("in 2 s yes 0.0001 % in 0.1 s no")
        for line in printed
    )
    assert any(
        line.startswith("segment / count 150.0 x") and line.endswith("100 x yes 1,000 x no")
        for line in printed
    )


def test_the_method_table_counts_proofs_and_failures(capsys):
    runs = {"count": {"a": took(0.0), "b": unproven(1.0), "c": killed()}}
    print_methods(console, runs)
    printed = capsys.readouterr().out.splitlines()
    (cells,) = [line.split() for line in printed if line.startswith(" count")]
    assert cells[1:4] == ["1", "1", "1"]
    assert cells[4:8] == ["0.000", "0.000", "0.414", "0.000"]  # sqrt(1 * 2) - 1
    assert cells[8:] == ["16.706", "60.000", "100+"]  # cbrt(1 * 61 * 91) - 1


def growing() -> tuple[Series, dict[str, dict[str, RunRecord]]]:
    sizes = {n: LENET.model_copy(update={"name": f"n{n}"}) for n in (1, 10, 100)}
    runs = {
        "segment": {"n1": took(1.0), "n10": took(10.0), "n100": unproven(60.0)},
        "count": {"n1": took(0.1), "n10": took(0.2), "n100": took(0.4)},
    }
    return Series("devices", "helpers (count)", sizes), runs


def test_time_is_drawn_against_size_on_log_axes_with_units(tmp_path):
    one, runs = growing()
    ax = Figure().subplots()
    plot_scaling(ax, one, runs)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "helpers (count)"
    marks = [line for line in ax.get_lines() if line.get_marker() == "o" and len(line.get_xdata())]
    hollow = [float(line.get_ydata()[0]) for line in marks if line.get_fillstyle() == "none"]
    assert hollow == [60.0]
    save_scaling_plot([one], runs, tmp_path / "scaling.png")
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")


def test_profile_and_run_times_are_drawn_with_units(tmp_path):
    _, runs = growing()
    ax = Figure().subplots()
    plot_run_times(ax, runs)
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "run time (s)")
    plot_profile(ax, runs)
    assert ax.get_ylabel() == "share of 3 instances proven (%)"
    assert "factor" in ax.get_xlabel()
    save_runtime_plot(runs, tmp_path / "runtime.png")
    assert (tmp_path / "runtime.png").read_bytes().startswith(b"\x89PNG")
