"""The weights of lookahead's price are measured, and the page shows what was measured."""

from dataclasses import asdict

import pandas as pd
from commands import output_of
from places import DOCS, SMALL, copied

from benchmarks import price_weights
from benchmarks.price_weights import CHOSEN, gap, variants
from optmodel.online import KnownPaths


def test_each_weight_is_left_out_halved_and_doubled():
    labels, weights = zip(*variants(), strict=True)
    assert labels[:4] == ("as chosen", "node none", "node halved", "node doubled")
    assert len(set(weights)) == len(weights) == 1 + 3 * len(asdict(CHOSEN))
    for one in weights[1:]:
        assert len(asdict(one).items() - asdict(CHOSEN).items()) == 1


def test_without_a_price_on_nodes_fewer_requests_are_served():
    file, weights, paths = SMALL / "lenet-0.6-x2-bandwidth.json", dict(variants()), KnownPaths()
    (served, above), fewer = (gap(file, weights[one], paths) for one in ("as chosen", "node none"))
    assert served == 2
    assert 0.3 < above < 0.4
    assert fewer == (1, None)


def test_the_command_prints_and_writes_a_row_for_each(tmp_path, monkeypatch):
    monkeypatch.setattr(price_weights, "BUSY", ((0.8, 40),))
    few = [*variants()][:2]
    monkeypatch.setattr(price_weights, "variants", lambda: few)
    copied(tmp_path, "lenet-0.8-x2")
    out = tmp_path / "weights.csv"
    told = output_of("benchmarks.price_weights", "--instances", tmp_path, "--out", out)
    found = pd.read_csv(out)
    assert list(found.weights) == [label for label, _ in few]
    assert (found.served == 2).all()
    assert "node none" in told


def test_the_page_shows_the_record():
    page = (DOCS / "lookahead.md").read_text(encoding="utf-8")
    record = pd.read_csv(DOCS / "price-weights.csv")
    assert list(record.weights) == [label for label, _ in variants()]
    for row in record.itertuples():
        gap = f"{row.gap_percent:.2f} % of {row.gaps}"
        line = f"| {row.weights} | {row.served} | {gap} | {row.waited} | {row.latency_s:.3f} s |"
        assert line in page.splitlines()
