"""The trade-off benchmark: what it refuses, and the cases that options ask for."""

import re
from pathlib import Path

import pytest
from commands import refusal_of
from tradeoff_making import measured_table

from benchmarks.tradeoffs.__main__ import main
from benchmarks.tradeoffs.tradeoff_cases import cases_of
from instances.generate import Recipe
from optmodel.ground.rule_errors import InputError


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"networks": "resnet"}, "networks: expected one of lenet,"),
        ({"fleets": "drones"}, "--fleets: expected one of"),
        ({"fleets": "70-40"}, "--fleets: expected two percentages"),
        ({"fleets": "rpi3=3"}, "--devices: expected 3 as --fleets rpi3=3 says, got 10"),
        ({"fleets": "70-30", "curves": "shared"}, "--shared-devices: expected a number that"),
        ({"points": 1}, "--points: expected a number from 2 to 10000, got 1; correct it"),
        ({"time_limit": 0.0}, "--time-limit: expected a number from 0.001 to 1e+09, got 0.0"),
        ({"devices": "0"}, "--devices: expected whole numbers from 1 to 1000"),
        ({"devices": "4,many"}, "got 'many'"),
        ({"shared_devices": ""}, "--shared-devices: expected whole numbers"),
        ({"tolerances": "0.8;0.4"}, "--tolerances: expected numbers from -1 to 1"),
        ({"tolerances": "0.4,2"}, "--tolerances: expected a number from -1 to 1, got 2.0"),
        ({"tolerances": "nan"}, "--tolerances: expected a number from -1 to 1, got nan"),
        ({"curves": "tolerance,prices"}, "curves: expected one of tolerance, shared, price"),
        ({"unattainable": "hope"}, "--unattainable: expected reject or source, got 'hope'"),
        ({"ssim": Path("nowhere.json")}, "nowhere.json"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(tmp_path, options, why):
    with pytest.raises(InputError, match=re.escape(why)):
        main(out=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_table_without_the_rows_of_a_network_is_refused(tmp_path):
    table = measured_table(tmp_path / "mine.json", 0.7)
    with pytest.raises(InputError, match="expected the rows of all layers"):
        main(out=tmp_path / "out", networks="vgg16", ssim=table)


@pytest.mark.parametrize("arguments", [("--networks", "resnet"), ("--points", "1")])
def test_bad_input_exits_2(tmp_path, arguments):
    told = refusal_of("benchmarks.tradeoffs", "--out", tmp_path / "out", *arguments)
    assert told.startswith(f"Error: {arguments[0]}: expected")
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="--out: expected a folder"):
        main(out=tmp_path / "out", networks="lenet")
    assert (tmp_path / "out").read_text() == "mine"


def test_broken_records_are_refused_with_a_way_out(tmp_path):
    (tmp_path / "tradeoffs.records.json").write_text("{")
    with pytest.raises(InputError, match="the file keeps finished runs: delete it"):
        main(out=tmp_path, networks="lenet")
    assert (tmp_path / "tradeoffs.records.json").read_text() == "{"


def test_the_cases_come_kind_by_kind_and_network_by_network():
    sizes = {"--devices": (4, 6), "--shared-devices": (3,)}
    made = cases_of(
        ("tolerance", "shared"), ("lenet", "vgg16"), ("mixed",), sizes, (0.8, 0.4), Recipe(())
    )
    found = [(c.kind, c.network, c.recipe.devices, c.tolerated_ssim) for c in made]
    assert found[:4] == [
        ("tolerance", "lenet", 4, None),
        ("tolerance", "lenet", 6, None),
        ("tolerance", "vgg16", 4, None),
        ("tolerance", "vgg16", 6, None),
    ]
    assert found[4:6] == [("shared", "lenet", 3, 0.8), ("shared", "lenet", 3, 0.4)]
