"""Measured tables: what they promise, and what gives an edited one away."""

import json

import pytest
from measured_tables import cell, measured_table, settings
from places import CASES

from instances.cnns import NETWORKS
from instances.generate import Recipe, generate
from instances.measured import ConfidenceInterval, MeasuredCell, MeasuredTable, content_sha256
from instances.ssim import read_ssim_table
from optmodel.ground.json_files import write_model
from optmodel.ground.rule_errors import InputError, RuleError
from optmodel.problem.privacy import protect


@pytest.fixture
def table() -> MeasuredTable:
    return measured_table(
        cell("MNIST Conv1 sums", 8, 0.9, subset="all"),
        cell("MNIST Conv1 sums", 4, 0.8),
        cell("MNIST Conv1 sums", 4, 0.85, subset="worst"),
        cell("MNIST Conv2 sums", 4, 0.3, subset="worst"),
        cell("MNIST Conv2 sums", 4, 0.5, subset="worst", layer="pool2"),
    )


@pytest.fixture
def written(table, tmp_path):
    """The table as a file, and a way to edit it."""
    path = tmp_path / "table.json"
    write_model(path, table)

    def edit(change):
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
        return path

    return edit


def refused(path, expected: str) -> None:
    with pytest.raises(InputError, match=expected) as told:
        read_ssim_table(path)
    assert str(told.value).startswith(str(path))


def test_caps_come_from_the_upper_limit_of_the_worst_subset_and_layer(written):
    caps = read_ssim_table(written(lambda _content: None))
    found = {(row.row, m.maps): m.ssim for row in caps.rows for m in row.measurements}
    assert found == {
        ("MNIST Conv1 sums", 4): 0.86,
        ("MNIST Conv1 sums", 8): 0.91,
        ("MNIST Conv2 sums", 4): 0.51,
    }
    assert caps.slack == 0
    assert caps.source.startswith("measured: lenet on noise, smoke attacker, output, upper 95%")


def test_an_upper_limit_beyond_one_counts_as_one():
    caps = measured_table(cell("MNIST Conv1 sums", 8, 0.995, "all")).caps_table()
    assert caps.rows[0].measurements[0].ssim == 1


def test_a_table_comes_back_as_it_was_written(table, written):
    assert MeasuredTable.model_validate_json(written(lambda _content: None).read_bytes()) == table


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        (("cells", 3, "ssim", "high"), 0.305, r"cells\[3\]\.sha256: expected .* edited"),
        (("cells", 3, "ssim", "high"), 0.2, r"cells\[3\]\.ssim\.mean: expected a value in"),
        (("cells", 3, "ssim", "mean"), "0.3", r"cells\[3\]\.ssim\.mean: expected"),
        (("cells", 0, "maps"), 7, r"cells\[0\]\.sha256: expected"),
        (("cells", 0, "blind"), True, r"cells\[0\]\.sha256: expected"),
        (("cells", 1, "held"), [1], r"cells\[1\]\.sha256: expected"),
        (("cells", 2, "sha256"), "0" * 64, r"cells\[2\]\.sha256: expected .*got 000000000000"),
        (("settings", "seed"), 7, r"settings\.sha256: expected"),
        (("settings", "attacker", "budget"), "strong", r"settings\.sha256: expected"),
        (("settings", "confidence"), 0.5, r"settings\.confidence: expected"),
        (("settings", "blind", 0, "ssim", "mean"), 0.9, r"settings\.blind\[0\]\.ssim\.mean"),
        (("kind",), "measured SSIM tables", "expected"),
        (("schema_version",), 3, "schema_version: expected 2, got 3"),
        (("schema_version",), 1, "schema_version: expected 2, got 1"),
        (("command",), "python -m attack table --budget strong", r"sha256: expected .* edited"),
        (("sha256",), "0" * 64, r"sha256: expected .*got 000000000000"),
        (("slack",), 0.5, "slack: expected no such field"),
        (("cells",), [], "cells: expected at least 1"),
    ],
)
def test_an_edited_table_is_refused_with_the_field(written, where, value, expected):
    def change(content):
        *parents, last = where
        for step in parents:
            content = content[step]
        content[last] = value

    refused(written(change), expected)


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 4])
def test_a_table_that_lacks_a_cell_is_refused(written, cut):
    def change(content):
        del content["cells"][cut]

    refused(written(change), r"(sha256|cells): expected")


def test_a_file_without_its_worst_subsets_is_refused_though_every_seal_fits(table, tmp_path):
    random_only = tuple(one for one in table.cells if one.subset.startswith("random"))
    content = {name: getattr(table, name) for name in MeasuredTable.model_fields}
    unsealed = MeasuredTable.model_construct(**content | {"cells": random_only})
    whole = unsealed.model_copy(update={"sha256": content_sha256(unsealed)})
    path = tmp_path / "without-worst.json"
    write_model(path, whole)
    refused(path, "cells: expected the worst subset of 4 maps of layer 'conv1'")


def test_a_table_of_the_first_version_is_refused_by_its_version():
    refused(CASES / "table-without-worst.json", "schema_version: expected 2, got 1")


def test_failed_attacks_make_no_caps(tmp_path):
    """The next larger number of maps that was measured counts, as for any that was not."""
    row = "MNIST Conv1 sums"
    limit = cell(row, 8, 0.9, "all"), cell(row, 4, 0.8, "worst")
    failed = cell(row, 2, 0.1, "worst", blind=True)
    caps = measured_table(*limit, failed).caps_table()
    assert [m.maps for m in caps.rows[0].measurements] == [4, 8]
    path = tmp_path / "failed.json"
    write_model(path, measured_table(failed))
    refused(path, "cells: expected a cell of row 'MNIST Conv1 sums' whose attacker did better")


def test_sums_tell_at_least_what_their_finished_maps_tell():
    """Whoever holds sums can finish them, though an attack on them may have got less."""
    row = "MNIST Conv1"
    both = [cell(f"{row} sums", 4, 0.5, "worst"), cell(row, 4, 0.7, "worst", layer="relu1")]
    caps = measured_table(*both).caps_table()
    found = {row.row: [m.ssim for m in row.measurements] for row in caps.rows}
    assert found == {f"{row} sums": [0.71], row: [0.71]}


def test_finished_maps_alone_make_no_caps(tmp_path):
    path = tmp_path / "finished.json"
    write_model(path, measured_table(cell("MNIST Conv1", 8, 0.5, "all")))
    refused(path, "cells: expected the row 'MNIST Conv1 sums' too, .*got 'MNIST Conv1' alone")


def test_a_random_subset_that_is_the_first_maps_is_no_worst_one():
    with pytest.raises(ValueError, match="the worst subset of 2 maps of layer 'conv1'"):
        measured_table(cell("MNIST Conv1 sums", 2, 0.5, "random 1"))


def test_convs_are_limited_by_the_rows_of_their_sums(tmp_path):
    """Holders of an activation receive sums; those of a conv or a pool finished maps."""
    path = tmp_path / "both.json"
    both = [
        cell(row, 8, ssim, "all", layer)
        for row, ssim, layer in (
            ("MNIST Conv1 sums", 0.9, "conv1"),
            ("MNIST Conv1", 0.7, "relu1"),
            ("MNIST Conv2 sums", 0.5, "conv2"),
            ("MNIST Conv2", 0.3, "relu2"),
        )
    ]
    write_model(path, measured_table(*both))
    instance = generate(Recipe(("lenet",), devices=3, ssim=path), "both", "")
    rows = {layer.name: layer.ssim_row for layer in instance.networks[0].layers[:6]}
    assert rows["conv1"] == "MNIST Conv1 sums"
    assert rows["relu1"] == rows["pool1"] == "MNIST Conv1"
    protection = protect(instance.networks[0], instance.ssim_table, 0.8)
    at_risk = [share.at_risk for share in protection.outputs if share]
    assert at_risk == [True, False, False, False, False, False]
    kept = generate(Recipe(("lenet",), devices=3), "table-1", "").networks[0]
    assert kept == NETWORKS["lenet"]()


def test_a_cell_that_stands_twice_is_refused(written):
    path = written(lambda content: content["cells"].append(content["cells"][0]))
    refused(path, r"cells\[5\]\.subset: expected a value used once")


def test_a_truncated_table_is_refused(written):
    path = written(lambda _content: None)
    path.write_bytes(path.read_bytes()[:-20])
    refused(path, "expected JSON")


@pytest.mark.parametrize(("low", "mean", "high"), [(0.2, 0.1, 0.3), (0.0, 0.4, 0.3)])
def test_limits_enclose_the_mean(low, mean, high):
    with pytest.raises(ValueError, match="mean: expected a value in"):
        ConfidenceInterval(mean=mean, low=low, high=high)


def test_a_cell_without_its_seal_is_refused(table):
    content = table.cells[0].model_dump() | {"sha256": "0"}
    with pytest.raises(ValueError, match="sha256: expected"):
        MeasuredCell.model_validate(content)
    assert issubclass(RuleError, ValueError)


def test_settings_say_who_attacked():
    attacker = settings(view="partial", senders=8, colluders=2).attacker
    assert attacker.describe() == "smoke attacker, partial of 8 senders, 2 devices"
