"""Caps and split points follow from SSIM measurements as the paper's own statements say."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import act, conv, ssim_row
from strategies import network as of_layers

from instances.cnns import NETWORKS
from instances.generate import Recipe, generate
from instances.ssim import read_ssim_table
from optmodel.ground.rule_errors import RuleError
from optmodel.problem.arrays import Problem
from optmodel.problem.network import Network
from optmodel.problem.privacy import admissible_share, envelope, exact, protect
from optmodel.problem.ssim import SsimRow, SsimTable

TABLE_I = read_ssim_table()


def row(measured: dict[int, float]) -> SsimRow:
    """Return a row with ssim(n) for each measured n."""
    return ssim_row("measured", measured)


def network(maps: int) -> Network:
    """Return a conv that puts out so many maps, and an act after it."""
    size, row = (4, 4), "measured"
    layers = (conv("conv", (1, maps), size, row, 3), act("act", maps, size, row))
    return of_layers("two", (1, *size), layers)


def limit(
    measured: dict[int, float], maps: int, tolerance: float, slack: float = 0.0
) -> int | None:
    """Return Nf of the maps of the conv: None for no cap."""
    table = SsimTable(source="test", slack=slack, rows=(row(measured),))
    return protect(network(maps), table, tolerance).cap(1)


def limit_after(name: str, layer: str, tolerance: float) -> int | None:
    """Return Nf of the maps that a layer of a paper network puts out, by Table I."""
    cnn = NETWORKS[name]()
    k = [one.name for one in cnn.layers].index(layer)
    return protect(cnn, TABLE_I, tolerance).cap(k + 1)


@pytest.mark.parametrize(
    ("name", "number"), [("lenet", 2), ("cifar_cnn", 8), ("vgg16", 8), ("vgg19", 4)]
)
def test_at_0_8_the_first_2_8_8_and_4_conv_and_act_layers_are_at_risk(name, number):
    cnn = NETWORKS[name]()
    outputs = protect(cnn, TABLE_I, 0.8).outputs
    pairs = zip(cnn.layers, outputs, strict=True)
    at_risk = [share.at_risk for layer, share in pairs if layer.kind in ("conv", "act")]
    assert at_risk == [True] * number + [False] * (len(at_risk) - number)


@pytest.mark.parametrize(
    ("name", "last"), [("lenet", "pool1"), ("cifar_cnn", "pool2"), ("vgg16", "pool2")]
)
def test_the_split_point_at_0_8_is_the_pool_behind_the_last_layer_at_risk(name, last):
    cnn = NETWORKS[name]()
    assert cnn.layers[protect(cnn, TABLE_I, 0.8).split_point - 1].name == last


@pytest.mark.parametrize(
    ("name", "layer", "tolerance", "maps"),
    [
        # as section II-C states
        ("cifar_cnn", "relu11", 0.4, 8),
        ("cifar_cnn", "relu12", 0.4, 8),
        ("cifar_cnn", "relu21", 0.4, 16),
        ("cifar_cnn", "relu22", 0.4, 16),
        ("cifar_cnn", "relu31", 0.4, 32),
        ("cifar_cnn", "relu32", 0.4, 32),
        # block 3 of VGG19 has no safe share
        ("vgg19", "conv31", 0.4, 0),
        ("vgg19", "relu34", 0.4, 0),
        ("vgg19", "pool3", 0.4, 0),
        ("vgg19", "relu11", 0.4, 8),  # 0.27 for 8 maps, 0.66 for 16
        ("vgg19", "relu22", 0.4, 4),  # 0.40 for 4 maps, 0.59 for 8
        ("vgg19", "relu44", 0.4, None),  # 0.39 at most
        ("vgg19", "relu34", 0.45, 16),  # 0.46 for 16 maps is one printed digit above
        ("vgg19", "relu34", 0.6, None),  # 0.56 for all 256
    ],
)
def test_limits_read_off_table_i(name, layer, tolerance, maps):
    assert limit_after(name, layer, tolerance) == maps


@pytest.mark.parametrize(
    ("tolerance", "slack", "ssim", "safe"),
    [
        (0.7, 0.1, 0.8, True),  # in doubles 0.7 + 0.1 < 0.8
        (0.1, 0.2, 0.3, True),
        (0.1, 0.2, 0.30000000000000004, False),  # in doubles 0.1 + 0.2 is this number
        (0.4, 0.0, 0.4, True),
        (0.4, 0.0, 0.41, False),
        (0.4, 0.01, 0.41, True),
        (0.4, 0.01, 0.42, False),
        (0.8, 0.01, 0.81, True),
        (0.8, 0.01, 0.83, False),
        (0.8, 0.01, 0.8100000000000002, False),
    ],
)
def test_sums_of_decimals_are_compared_exactly(tolerance, slack, ssim, safe):
    assert limit({8: ssim}, 8, tolerance, slack) == (None if safe else 0)


@pytest.mark.parametrize(
    ("number", "fraction"),
    [(0.41, Fraction(41, 100)), (-0.5, Fraction(-1, 2)), (1e-7, Fraction(1, 10**7)), (1.0, 1)],
)
def test_a_number_is_the_decimal_that_was_written(number, fraction):
    assert exact(number) == fraction


@pytest.mark.parametrize(
    ("measured", "maps", "tolerance", "expected"),
    [
        # an attacker with more maps may ignore some
        ({2: 0.5, 4: 0.3, 8: 0.6}, 8, 0.5, 4),
        ({2: 0.5, 4: 0.3, 8: 0.6}, 8, 0.4, 0),
        # measurements may come in any order
        ({8: 0.6, 2: 0.1, 4: 0.3}, 8, 0.4, 4),
        # an unmeasured number of maps gives away what the next larger measured one does
        ({8: 0.1, 16: 0.5}, 12, 0.3, 8),
        ({8: 0.1, 16: 0.5}, 12, 0.5, None),
        ({8: 0.1, 16: 0.5}, 5, 0.3, None),
        # more maps than were measured are at risk
        ({4: 0.1, 8: 0.2}, 8, 0.9, None),
        ({4: 0.1, 8: 0.2}, 9, 0.9, 8),
    ],
)
def test_limits_follow_from_the_measurements(measured, maps, tolerance, expected):
    assert limit(measured, maps, tolerance) == expected


def test_the_first_layer_has_no_cap_because_it_receives_the_image():
    protection = protect(network(8), SsimTable(source="", slack=0.0, rows=(row({8: 1.0}),)), 0.1)
    assert protection.cap(0) is None
    assert protection.cap(1) == 0


def test_a_network_without_maps_at_risk_has_no_split_point():
    protection = protect(network(8), SsimTable(source="", slack=0.0, rows=(row({8: 0.1}),)), 0.5)
    assert protection.split_point == 0


def test_the_lowest_ssim_is_the_one_of_the_fewest_maps():
    share = admissible_share(row({4: 0.6, 2: 0.5}), 4, Fraction(1, 10))
    assert (share.at_risk, share.limit, share.lowest_ssim) == (True, 0, Fraction(1, 2))


def test_a_row_that_the_table_lacks_is_named():
    with pytest.raises(RuleError, match=r"'conv1'.*expected a row.*got 'MNIST Conv1'"):
        protect(NETWORKS["lenet"](), SsimTable(source="", slack=0.0, rows=(row({8: 0.1}),)), 0.5)


def hosts(name: str, tolerance: float, **recipe: str) -> dict[str, tuple[int, ...]]:
    """Return who may compute each layer: helpers 0 and 1, source 2."""
    instance = generate(Recipe((name,), devices=2, tolerated_ssim=tolerance, **recipe), "hosts")
    task = Problem.of(instance).tasks[0]
    return {layer.name: layer.hosts for layer in task.layers}


HELPERS, SOURCE, NOBODY = (0, 1), (2,), ()


def test_the_source_computes_the_first_and_last_layer_and_helpers_the_rest():
    # at 0.8 only the maps of lenet's first block are at risk
    expected = dict.fromkeys(["relu1", "pool1", "conv2", "relu2", "pool2", "fc1", "fc2"], HELPERS)
    assert hosts("lenet", 0.8) == expected | {"conv1": SOURCE, "fc3": SOURCE}


def test_the_first_fc_is_on_the_source_when_it_receives_maps_at_risk():
    # at 0.7 all 8 maps of lenet's second block (0.73) are at risk, too
    assert hosts("lenet", 0.7)["fc1"] == SOURCE
    assert hosts("lenet", 0.7)["fc2"] == HELPERS


def test_no_node_may_host_layers_of_which_no_share_is_safe():
    # at 0.2 four maps of lenet's first block (0.28) give away too much already
    expected = dict.fromkeys(["relu1", "pool1", "conv2"], NOBODY)
    refused = {name: nodes for name, nodes in hosts("lenet", 0.2).items() if nodes == NOBODY}
    assert refused == expected


def test_layers_of_which_no_share_is_safe_stay_on_the_source_if_asked_for():
    at_source = hosts("lenet", 0.2, unattainable="source")
    assert [name for name, nodes in at_source.items() if nodes == SOURCE] == [
        "conv1",
        "relu1",
        "pool1",
        "conv2",
        "fc1",
        "fc3",
    ]
    assert NOBODY not in at_source.values()


def test_a_request_names_its_unattainable_layers():
    instance = generate(Recipe(("lenet",), devices=2, tolerated_ssim=0.2), "unattainable")
    assert Problem.of(instance).tasks[0].unattainable == (1, 2, 3)


def test_caps_bind_the_helpers_and_not_the_source():
    instance = generate(Recipe(("lenet",), devices=2, tolerated_ssim=0.7), "caps")
    caps = {layer.name: layer.cap for layer in Problem.of(instance).tasks[0].layers}
    assert caps == {
        "conv1": 1,
        "relu1": 4,
        "pool1": 4,
        "conv2": 4,
        "relu2": 4,
        "pool2": 4,
        "fc1": 8,
        "fc2": 1,
        "fc3": 1,
    }


SSIMS = st.integers(-100, 100).map(lambda hundredths: hundredths / 100)
ROWS = st.dictionaries(st.integers(1, 20), SSIMS, min_size=1).map(row)
MAPS = st.integers(1, 25)


@given(ROWS)
@settings(deadline=None)
def test_the_envelope_never_falls_and_never_hides_a_measurement(measured):
    pairs = envelope(measured)
    assert all(n < m and low <= high for (n, low), (m, high) in pairwise(pairs))
    highest = dict(pairs)
    assert all(highest[m.maps] >= exact(m.ssim) for m in measured.measurements)


def held(measured: SsimRow, maps: int, tolerance: float) -> float:
    """Return how many of the maps one helper may hold at most, infinity for no cap."""
    share = admissible_share(measured, maps, exact(tolerance))
    return float("inf") if share.limit is None else share.limit


@given(ROWS, MAPS, SSIMS, SSIMS)
@settings(deadline=None)
def test_a_looser_tolerance_never_lowers_the_limit(measured, maps, one, other):
    tight, loose = sorted((one, other))
    assert held(measured, maps, tight) <= held(measured, maps, loose)


@given(ROWS, MAPS, MAPS, SSIMS)
@settings(deadline=None)
def test_more_maps_never_raise_the_limit(measured, one, other, tolerance):
    few, many = sorted((one, other))
    assert held(measured, many, tolerance) <= held(measured, few, tolerance)


@given(ROWS, MAPS, SSIMS)
@settings(deadline=None)
def test_no_measured_share_within_the_limit_gives_away_too_much(measured, maps, tolerance):
    limit = held(measured, maps, tolerance)
    within = [m.ssim for m in measured.measurements if m.maps <= min(limit, maps)]
    assert max(within, default=-1.0) <= tolerance


@given(st.sampled_from(["lenet", "cifar_cnn", "vgg16", "vgg19"]), SSIMS, SSIMS)
@settings(deadline=None, max_examples=40)
def test_a_looser_tolerance_never_moves_a_split_point_back(name, one, other):
    tight, loose = sorted((one, other))
    cnn = NETWORKS[name]()
    split_points = [protect(cnn, TABLE_I, t).split_point for t in (tight, loose)]
    assert split_points[0] >= split_points[1]
