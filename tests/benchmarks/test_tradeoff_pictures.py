"""The trade-off benchmark: what it prints and draws, from records made up."""

from io import StringIO

from matplotlib.figure import Figure
from rich.console import Console
from tradeoff_making import case

from benchmarks.tradeoffs.tradeoff_plot import plot_shared, plot_tolerance, save_plot
from benchmarks.tradeoffs.tradeoff_record import CurveRecord
from benchmarks.tradeoffs.tradeoff_table import frame_of, print_curves
from optmodel.pareto import SharedPoint, ToleranceStep
from optmodel.placement.solution import PlacementDocument, SolutionStatus


def point(latency: float, bits: int, bound: float | None = None) -> SharedPoint:
    return SharedPoint(
        limit_bits=None,
        latency_s=latency,
        bound_s=latency if bound is None else bound,
        shared_bits=bits,
        bound_bits=bits,
        placement=PlacementDocument(requests=()),
    )


def record(**found: object) -> CurveRecord:
    return CurveRecord(instance_sha256="0", options={}, finished=True, **found)


def step(start: float, latency: float | None) -> ToleranceStep:
    status = SolutionStatus.INFEASIBLE if latency is None else SolutionStatus.OPTIMAL
    return ToleranceStep(
        from_ssim=start, below_ssim=None, solution_status=status, latency_s=latency, bound_s=latency
    )


STEPS = record(steps=(step(-1.0, None), step(0.3, 2.0), step(0.5, 2.0), step(0.7, 0.5)))
POINTS = record(points=(point(1.0, 3_000_000), point(2.0, 2_000_000, bound=1.5)))


def test_the_tables_show_both_ends_and_how_many_points_are_proven():
    paper = StringIO()
    curves = {case("tolerance"): STEPS, case("shared"): POINTS, case("price"): record()}
    print_curves(Console(file=paper, width=140), curves)
    lines = [" ".join(line.split()) for line in paper.getvalue().splitlines()]
    assert "lenet, 2 mixed 4 2 4 0.3 2000.000 0.7 500.000" in lines
    assert "lenet, 2 mixed 0.8 2 1 33.33 1000.000 3.000 2000.000 2.000 33.33 100.00" in lines


def test_cases_without_any_placement_are_told_as_such():
    paper = StringIO()
    nothing = record(steps=(step(-1.0, None),))
    print_curves(Console(file=paper), {case("tolerance"): nothing, case("shared"): record()})
    assert paper.getvalue().count("no placement") == 3
    assert frame_of("shared", {case("shared"): record()}).empty


def test_what_was_neither_found_nor_ruled_out_is_told_as_open():
    paper = StringIO()
    step_open = step(-1.0, None).model_copy(update={"solution_status": SolutionStatus.NONE})
    curves = {case("tolerance"): record(steps=(step_open,)), case("shared"): record(open=True)}
    print_curves(Console(file=paper), curves)
    assert "no placement" not in paper.getvalue()
    assert paper.getvalue().count("open") == 3


def test_a_dominated_step_stands_in_the_file_and_not_on_the_front():
    frame = frame_of("tolerance", {case("tolerance"): STEPS})
    assert frame["on_front"].tolist() == [False, True, False, True]
    assert frame["latency_ms"].tolist()[1:] == [2000.0, 2000.0, 500.0]


def test_the_curve_over_tolerances_is_a_staircase_with_a_dot_for_each_gain():
    ax = Figure().add_subplot()
    plot_tolerance(ax, {case("tolerance"): STEPS})
    stairs, dots = ax.get_lines()
    assert list(stairs.get_xdata()) == [0.3, 0.7, 1.0]
    assert list(stairs.get_ydata()) == [2000.0, 500.0, 500.0]
    assert list(dots.get_xdata()) == [0.3, 0.7]
    assert ax.get_ylabel() == "latency (ms)"
    assert ax.get_xlabel().startswith("tolerated SSIM")


def test_of_many_curves_every_dot_can_be_seen():
    ax = Figure().add_subplot()
    plot_tolerance(ax, {case("tolerance", devices=n): STEPS for n in range(1, 13)})
    dots = [line for line in ax.get_lines() if line.get_marker() != "None"]
    assert len(dots) == 12
    assert min(line.get_markersize() for line in dots) >= 3


def test_points_without_proof_are_hollow_and_reach_down_to_their_bound():
    ax = Figure().add_subplot()
    plot_shared(ax, {case("shared"): POINTS})
    hollow = [line for line in ax.get_lines() if line.get_fillstyle() == "none"]
    assert [list(line.get_xdata()) for line in hollow] == [[2.0]]
    assert [2.0, 2.0] in [list(line.get_xdata()) for line in ax.get_lines()]
    assert [1500.0, 2000.0] in [list(line.get_ydata()) for line in ax.get_lines()]
    assert ax.get_xlabel() == "shared data (Mbit)"


def test_labels_are_plain_numbers_over_several_decades():
    figure = Figure()
    ax = figure.add_subplot()
    steps = record(steps=(step(0.2, 30.0), step(0.5, 0.002)))
    plot_tolerance(ax, {case("tolerance"): steps})
    figure.draw_without_rendering()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert {"10", "100", "10000"} <= set(labels)
    assert not any("^" in label or "e" in label for label in labels)


def test_each_network_has_a_panel_and_one_without_a_placement_says_so(tmp_path):
    curves = {
        case("shared"): POINTS,
        case("shared", devices=4): POINTS,
        case("shared", network="vgg16"): record(),
    }
    drawn: list[int] = []

    def counting(ax, panel):
        drawn.append(len(panel))
        plot_shared(ax, panel)
        if len(drawn) == 2:
            assert [text.get_text() for text in ax.texts] == ["no points"]

    save_plot(tmp_path / "shared.png", curves, counting)
    assert drawn == [2, 1]
    assert (tmp_path / "shared.svg").read_text().rstrip().endswith("</svg>")
