"""The printed table: what stands beside each figure, and the interval over subsets and images."""

import io

import pytest
from measured_tables import around, cell, measured_table
from rich.console import Console

from attack.printed_table import over_subsets, print_measured


def test_one_subset_has_the_interval_of_its_images():
    assert over_subsets([around(0.5, 0.02)]) == around(0.5, 0.02)


def test_two_subsets_add_what_they_differ_by():
    """Means .4 and .6: deviation .1414, t 12.706 with one degree of freedom: half 1.2706."""
    level = over_subsets([around(0.4, 0.0), around(0.6, 0.0)])
    assert level.mean == pytest.approx(0.5)
    assert level.high - level.mean == pytest.approx(1.2706, abs=1e-4)
    assert over_subsets([around(0.5, 0.03), around(0.5, 0.03)]).high == pytest.approx(0.53)


def test_every_figure_stands_with_its_interval_and_the_worst_is_no_random_subset():
    cells = [
        cell("MNIST Conv1", 4, ssim, subset)
        for ssim, subset in ((0.5, "random 1"), (0.5, "random 2"), (0.9, "worst"))
    ]
    text = io.StringIO()
    print_measured(Console(file=text), measured_table(*cells))
    (line,) = [line for line in text.getvalue().splitlines() if line.startswith(" MNIST Conv1")]
    for shown in (
        "0.900 (0.890 .. 0.910)",
        "0.500 (0.490 .. 0.510)",
        "20.0 (20.0 .. 20.0)",
        "0.28",
    ):
        assert shown in line
