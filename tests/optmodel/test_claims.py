"""A solution file that claims more than its placement holds is refused, claim by claim."""

import json
from fractions import Fraction

import pytest
from commands import refusal_of, run
from places import SMALL

from optmodel.checker import check_solution, claims
from optmodel.ground.json_files import write_model
from optmodel.placement.solution import (
    PlacementDocument,
    Rejection,
    RequestLatency,
    SolutionStatus,
    Termination,
    TracePoint,
    read_solution,
)
from optmodel.problem.instance import read_instance

INSTANCE = read_instance(SMALL / "lenet-0.8-x2.json")
SOLUTION = read_solution(SMALL / "lenet-0.8-x2.solution.json")


GHOST = RequestLatency(request="ghost", layers_s={})


def wheres(**changes) -> set[str]:
    report = check_solution(INSTANCE, SOLUTION.model_copy(update=changes))
    return {violation.where for violation in report.violations}


def test_the_shipped_solution_claims_nothing_wrong():
    assert wheres() == set()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"placement": None, "objective_s": None, "bound_s": None, "gap": None}, "solution_status"),
        ({"solution_status": SolutionStatus.INFEASIBLE}, "solution_status"),
        ({"solution_status": SolutionStatus.PARTIAL}, "solution_status"),
        ({"bound_s": 9.0, "gap": 0.0}, "bound_s"),
        ({"gap": 0.5}, "gap"),
        ({"gap": None}, "gap"),
        ({"objective_s": None, "gap": None}, "objective_s"),
        ({"bound_s": None, "gap": None}, "solution_status"),
        ({"objective_s": SOLUTION.objective_s * 1.001}, "objective"),
        ({"bound_s": SOLUTION.objective_s / 2, "gap": 1.0}, "solution_status"),
        ({"bound_s": SOLUTION.objective_s / 1.00001, "gap": 1e-5}, "solution_status"),
        ({"options": SOLUTION.options | {"mip_gap": "tiny"}}, "options.mip_gap"),
        ({"options": SOLUTION.options | {"mip_gap": True}}, "options.mip_gap"),
        ({"options": SOLUTION.options | {"mip_gap": 2}}, "options.mip_gap"),
        ({"options": SOLUTION.options | {"mip_gap": -1e-9}}, "options.mip_gap"),
        ({"options": SOLUTION.options | {"admission": "sometimes"}}, "options.admission"),
        ({"options": SOLUTION.options | {"admission": True}}, "options.admission"),
        ({"options": SOLUTION.options | {"time_limit_s": -4}}, "options.time_limit_s"),
        ({"options": SOLUTION.options | {"time_limit_s": "long"}}, "options.time_limit_s"),
        ({"options": SOLUTION.options | {"time_limit_s": True}}, "options.time_limit_s"),
        ({"options": SOLUTION.options | {"improve_s": -1.0}}, "options.improve_s"),
        ({"most_served": 0}, "most_served"),
        ({"most_served": 1}, "most_served"),
        ({"most_served": 3}, "most_served"),
        ({"most_served": 99}, "most_served"),
        ({"instance": "lenet"}, "instance"),
        ({"instance_sha256": "0" * 64}, "instance_sha256"),
        ({"reasons": ("'d1' is too small",)}, "reasons"),
        ({"solver": None}, "solver_version"),
        ({"latency": ()}, "latency of request 'r2'"),
        ({"latency": SOLUTION.latency[:1]}, "latency of request 'r2'"),
        ({"latency": SOLUTION.latency * 2}, "latency of request 'r1'"),
        ({"latency": (*SOLUTION.latency, GHOST)}, "latency of request 'ghost'"),
        ({"placement": None, "objective_s": None, "gap": None}, "request 'r1', layer 'conv1'"),
    ],
)
def test_a_claim_that_contradicts_the_placement_is_named(changes, where):
    assert where in wheres(**changes)


def test_options_and_methods_of_others_are_theirs():
    theirs = {"time_limit_s": 0, "improve_s": None, "admission": "all", "depth": -1}
    assert wheres(method="of-their-own", options=theirs) == set()


def test_a_gap_that_was_asked_for_is_optimal_enough():
    options = SOLUTION.options | {"mip_gap": 0.5}
    assert wheres(options=options, bound_s=SOLUTION.objective_s / 2, gap=1.0) == set()
    assert wheres(options=options, bound_s=SOLUTION.objective_s / 2.1, gap=1.1) == {
        "solution_status"
    }


def test_violations_tell_by_how_much():
    def amounts(**changes) -> dict[str, Fraction]:
        report = check_solution(INSTANCE, SOLUTION.model_copy(update=changes))
        return {one.where: one.amount for one in report.violations}

    objective = SOLUTION.objective_s
    bound, seconds = objective / 2, Fraction(repr(objective))
    halved = amounts(bound_s=bound, gap=0.5)
    asked = Fraction("1e-6") + Fraction("1e-6")
    assert halved["solution_status"] == seconds - Fraction(repr(bound)) - asked * seconds
    assert float(halved["gap"]) == pytest.approx(0.5)
    assert amounts(most_served=0) == {"most_served": 2}
    assert amounts(most_served=99) == {"most_served": 97}
    layers = len(SOLUTION.latency[1].layers_s)
    assert amounts(latency=SOLUTION.latency[:1]) == {"latency of request 'r2'": layers}


@pytest.mark.parametrize(("share", "optimal"), [(0, True), (1.5e-6, True), (5e-6, False)])
def test_the_usual_gap_is_a_millionth_and_floats_are_given_another(share, optimal):
    bound = SOLUTION.objective_s * (1 - share)
    gap = (SOLUTION.objective_s - bound) / bound
    found = wheres(options={"seed": 0}, bound_s=bound, gap=gap)
    assert found == (set() if optimal else {"solution_status"})


@pytest.mark.parametrize("error", [2e-9, -2e-9])
def test_the_gap_is_worked_out_in_rationals_and_not_by_who_wrote_it(error):
    assert "relative_gap" not in vars(claims)
    bound = SOLUTION.objective_s / 1.25
    options = SOLUTION.options | {"mip_gap": 0.5}
    assert wheres(options=options, bound_s=bound, gap=0.25) == set()
    assert wheres(options=options, bound_s=bound, gap=0.25 + error) == {"gap"}


def test_a_large_gap_may_be_off_by_its_last_digits():
    options, bound = SOLUTION.options | {"mip_gap": 1.0}, SOLUTION.objective_s / 7.3e11
    gap = (SOLUTION.objective_s - bound) / bound
    assert wheres(options=options, bound_s=bound, gap=gap) == set()
    assert wheres(options=options, bound_s=0.0, gap=None) == set()
    assert wheres(options=options, bound_s=0.0, gap=1e300) == {"gap"}


def test_a_bound_beyond_the_latency_may_be_as_far_off_as_floats_are():
    above = SOLUTION.objective_s * (1 + 5e-7)
    assert wheres(bound_s=above, gap=0.0) == set()
    assert wheres(bound_s=SOLUTION.objective_s * (1 + 2e-6), gap=0.0) == {"bound_s"}


@pytest.mark.parametrize(
    ("told", "where"), [(0.0, set()), (5e-13, {"request 'r1', layer 'pool1'"})]
)
def test_a_layer_that_takes_no_time_is_told_so(told, where):
    first, *others = SOLUTION.latency
    assert first.layers_s["pool1"] == 0
    latency = first.model_copy(update={"layers_s": {**first.layers_s, "pool1": told}})
    assert wheres(latency=(latency, *others)) == where


INFEASIBLE = {
    "placement": None,
    "objective_s": None,
    "bound_s": None,
    "gap": None,
    "latency": (),
    "solution_status": SolutionStatus.INFEASIBLE,
    "reasons": ("no room",),
}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"termination": Termination.HEURISTIC_END}, "termination"),
        ({"solution_status": SolutionStatus.NONE}, "reasons"),
        ({"objective_s": 0.5}, "objective_s"),
        ({"gap": 0.0}, "gap"),
        ({"bound_s": 1.0}, "bound_s"),
        ({"options": SOLUTION.options | {"admission": "most"}}, "solution_status"),
        ({"most_served": 3}, "most_served"),
        ({"latency": (GHOST,)}, "latency of request 'ghost'"),
        ({"latency": SOLUTION.latency}, "request 'r1', layer 'conv1'"),
        ({"trace": (TracePoint(time_s=0.0, incumbent_s=0.5, bound_s=None),)}, "trace"),
    ],
)
def test_a_claim_without_a_placement_is_named(changes, where):
    assert wheres(**INFEASIBLE) == set()
    assert where in wheres(**(INFEASIBLE | changes))


def test_a_bound_may_be_known_before_a_placement_is():
    nothing = {"solution_status": SolutionStatus.NONE, "reasons": (), "bound_s": 1.0}
    assert wheres(**(INFEASIBLE | nothing)) == set()
    bounded = (TracePoint(time_s=0.0, incumbent_s=None, bound_s=1.0),)
    assert wheres(**(INFEASIBLE | {"trace": bounded})) == set()


def traced(*points: tuple[float, float | None, float | None]) -> dict[str, tuple[TracePoint, ...]]:
    trace = [TracePoint(time_s=t, incumbent_s=s, bound_s=b) for t, s, b in points]
    return {"trace": tuple(trace)}


END, NOW = SOLUTION.wall_time_s, SOLUTION.objective_s


INCUMBENT, BOUND = {"trace[1].incumbent_s"}, {"trace[1].bound_s"}
TRACES = {
    "fits": ([(END / 2, None, 0.0), (END, NOW, NOW)], set()),
    "back in time": ([(END, None, 0.0), (END / 2, NOW, NOW)], {"trace[1].time_s"}),
    "after the end": ([(END / 2, None, 0.0), (END + 1, NOW, NOW)], {"wall_time_s"}),
    "slower": ([(0.0, NOW * 1.001, NOW)], {"trace"}),
    "nothing found": ([(0.0, None, NOW)], {"trace"}),
    "bound": ([(0.0, NOW, NOW * 1.001)], {"trace"}),
    "raised": ([(0.0, NOW, NOW / 2)], set()),
    "at once": ([(END, None, 0.0), (END, NOW, NOW)], set()),
    "better than the end": ([(0.0, NOW * 0.9, 0.0), (0.0, NOW, NOW)], INCUMBENT),
    "slower meanwhile": ([(0.0, NOW, 0.0), (0.0, NOW * 2, 0.0), (0.0, NOW, NOW)], INCUMBENT),
    "placement lost": ([(0.0, NOW, 0.0), (0.0, None, 0.0), (0.0, NOW, NOW)], INCUMBENT),
    "bound above the end": ([(0.0, NOW * 2, NOW * 1.5), (0.0, NOW, NOW)], BOUND),
    "weaker bound": ([(0.0, NOW, NOW / 2), (0.0, NOW, NOW / 3), (0.0, NOW, NOW)], BOUND),
    "bound lost": ([(0.0, NOW, NOW / 2), (0.0, NOW, None)], BOUND),
    "improves": ([(0.0, NOW * 2, NOW / 2), (0.0, NOW * 2, NOW), (0.0, NOW, NOW)], set()),
}


@pytest.mark.parametrize(("points", "where"), TRACES.values(), ids=TRACES)
def test_a_trace_only_improves_and_ends_in_what_is_claimed(points, where):
    assert wheres(**traced(*points)) == where


def test_a_trace_bounds_no_more_than_the_objective_where_no_bound_is_claimed():
    feasible = {"solution_status": SolutionStatus.FEASIBLE, "bound_s": None, "gap": None}
    assert wheres(**feasible, **traced((0.0, NOW, NOW))) == set()
    assert wheres(**feasible, **traced((0.0, NOW, NOW * 1.001))) == {"trace"}


def test_rejecting_every_request_is_no_optimum():
    rejected = tuple(
        Rejection(request=r.id, layer="conv1", segment=1, condition="none")
        for r in INSTANCE.requests
    )
    placement = SOLUTION.placement.model_copy(update={"requests": (), "rejected": rejected})
    assert {"solution_status", "objective_s"} <= wheres(placement=placement)


MOST = SOLUTION.options | {"admission": "most"}
LEFT_OUT = Rejection(request="r2", condition="the optimum leaves it out")
ONE = SOLUTION.placement.model_copy(
    update={"requests": SOLUTION.placement.requests[:1], "rejected": (LEFT_OUT,)}
)
ONE_S = sum(SOLUTION.latency[0].layers_s.values())
SERVING_ONE = {
    "options": MOST,
    "placement": ONE,
    "most_served": 1,
    "objective_s": ONE_S,
    "bound_s": ONE_S,
    "gap": 0.0,
    "latency": SOLUTION.latency[:1],
}


def rejecting(**changes) -> dict[str, PlacementDocument]:
    """Return the claim to have left out one request, with changes."""
    rejection = LEFT_OUT.model_copy(update=changes)
    return {"placement": ONE.model_copy(update={"rejected": (rejection,)})}


@pytest.mark.parametrize("changes", [{}, rejecting(layer="conv2", segment=8)])
def test_an_optimum_may_leave_requests_out_that_cannot_be_served(changes):
    assert wheres(**(SERVING_ONE | changes)) == set()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"options": SOLUTION.options}, "solution_status"),
        ({"options": MOST | {"admission": "all"}}, "solution_status"),
        ({"most_served": 2}, "solution_status"),
        ({"most_served": None}, "solution_status"),
        ({"bound_s": None, "gap": None}, "solution_status"),
        ({"placement": ONE.model_copy(update={"rejected": ()})}, "request 'r2'"),
        (rejecting(layer="conv9", segment=1), "rejected request 'r2'"),
        (rejecting(layer="conv1", segment=2), "rejected request 'r2'"),
        (rejecting(layer="conv1"), "rejected request 'r2'"),
        (rejecting(segment=1), "rejected request 'r2'"),
        (rejecting(request="r9"), "request 'r9'"),
    ],
)
def test_an_optimum_that_leaves_out_more_or_what_is_not_there_is_refused(changes, where):
    assert where in wheres(**(SERVING_ONE | changes))


def test_an_incumbent_may_leave_out_more_but_does_not_claim_the_optimum():
    feasible = {"solution_status": SolutionStatus.FEASIBLE, "most_served": 2}
    assert wheres(**(SERVING_ONE | feasible | {"bound_s": None, "gap": None})) == set()


def test_an_incumbent_that_serves_more_may_take_longer():
    trace = traced((0.0, ONE_S, None), (0.0, NOW, NOW))
    assert wheres(**trace, options=MOST, most_served=2) == set()
    assert wheres(**trace) == {"trace[1].incumbent_s"}
    lost = traced((0.0, ONE_S, None), (0.0, None, None), (0.0, NOW, NOW))
    assert wheres(**lost, options=MOST, most_served=2) == {"trace[1].incumbent_s"}


def test_a_partial_placement_may_have_come_to_serve_more():
    partial = {"solution_status": SolutionStatus.PARTIAL, "options": {}, "most_served": None}
    trace = traced((0.0, ONE_S / 2, 0.0), (0.0, ONE_S, 0.0))
    assert wheres(**(SERVING_ONE | partial | trace)) == set()


def test_serving_no_request_is_the_optimum_only_if_none_can_be_served():
    nothing = {
        "options": MOST,
        "placement": PlacementDocument(
            requests=(), rejected=(LEFT_OUT, LEFT_OUT.model_copy(update={"request": "r1"}))
        ),
        "objective_s": None,
        "bound_s": None,
        "gap": None,
        "latency": (),
    }
    assert wheres(**nothing, most_served=0) == set()
    assert wheres(**nothing, most_served=1) == {"solution_status"}


def test_a_latency_of_a_layer_that_does_not_exist_is_named():
    latency = SOLUTION.latency[0].model_copy(update={"layers_s": {"conv9": 0.0}})
    assert wheres(latency=(latency, SOLUTION.latency[1])) == {
        "request 'r1', layer 'conv9'",
        "latency of request 'r1'",
    }


def test_a_solution_of_another_instance_is_refused_though_its_placement_would_do(tmp_path):
    renamed = INSTANCE.model_copy(update={"name": "another"})
    write_model(tmp_path / "another.json", renamed)
    done = run("optmodel.check", tmp_path / "another.json", SMALL / "lenet-0.8-x2.solution.json")
    assert done.returncode == 1
    assert "(claim) instance: expected 'another', got 'lenet-0.8-x2'" in done.stdout
    assert "(claim) instance_sha256: expected " in done.stdout
    assert done.stdout.endswith("2 violation(s)\n")


def test_an_absurd_count_is_bad_input(tmp_path):
    written = json.loads((SMALL / "lenet-0.8-x2.solution.json").read_text())
    written["placement"]["requests"][0]["layers"][0]["segments"]["camera-1"] = 10**400
    path = tmp_path / "absurd.json"
    path.write_text(json.dumps(written))
    refusal_of("optmodel.check", SMALL / "lenet-0.8-x2.json", path)
