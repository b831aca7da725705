"""A solution file that claims more than its placement holds is refused, claim by claim."""

import json
from pathlib import Path

import pytest
from commands import run

from optmodel.checker import check_solution
from optmodel.instance import read_instance
from optmodel.solution import PlacementDocument, Rejection, SolutionStatus, read_solution

SMALL = Path(__file__).parents[2] / "instances" / "small"
INSTANCE = read_instance(SMALL / "lenet-0.8-x2.json")
SOLUTION = read_solution(SMALL / "lenet-0.8-x2.solution.json")


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
    ],
)
def test_a_claim_that_contradicts_the_placement_is_named(changes, where):
    assert where in wheres(**changes)


def test_rejecting_every_request_is_no_optimum():
    rejected = tuple(
        Rejection(request=r.id, layer="conv1", segment=1, condition="none")
        for r in INSTANCE.requests
    )
    placement = SOLUTION.placement.model_copy(update={"requests": (), "rejected": rejected})
    assert {"solution_status", "objective_s"} <= wheres(placement=placement)


# Admission "most".

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


def test_an_optimum_may_leave_requests_out_that_cannot_be_served():
    assert wheres(**SERVING_ONE) == set()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"options": SOLUTION.options}, "solution_status"),
        ({"options": MOST | {"admission": "all"}}, "solution_status"),
        ({"most_served": 2}, "solution_status"),
        ({"most_served": None}, "solution_status"),
        ({"bound_s": None, "gap": None}, "solution_status"),
        ({"placement": ONE.model_copy(update={"rejected": ()})}, "request 'r2'"),
    ],
)
def test_an_optimum_that_leaves_out_more_is_refused(changes, where):
    assert where in wheres(**(SERVING_ONE | changes))


def test_an_incumbent_may_leave_out_more_but_does_not_claim_the_optimum():
    feasible = {"solution_status": SolutionStatus.FEASIBLE, "most_served": 2}
    assert wheres(**(SERVING_ONE | feasible | {"bound_s": None, "gap": None})) == set()


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
    assert wheres(latency=(latency,)) == {"request 'r1', layer 'conv9'"}


def test_another_instance_is_pointed_out_first():
    done = run(
        "optmodel.check",
        SMALL / "lenet-0.4-3-mixed.json",
        SMALL / "lenet-0.8-3-mixed.solution.json",
    )
    assert done.returncode == 1
    first = " ".join(done.stdout.split()[1:])
    assert first.startswith("made for another instance or content ('lenet-0.8-3-mixed')")


def test_an_absurd_count_is_bad_input(tmp_path):
    written = json.loads((SMALL / "lenet-0.8-x2.solution.json").read_text())
    written["placement"]["requests"][0]["layers"][0]["segments"]["camera-1"] = 10**400
    path = tmp_path / "absurd.json"
    path.write_text(json.dumps(written))
    done = run("optmodel.check", SMALL / "lenet-0.8-x2.json", path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
