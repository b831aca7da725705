"""A solution file that claims more than its placement holds is refused, claim by claim."""

import json
from pathlib import Path

import pytest
from commands import run

from optmodel.checker import check_solution
from optmodel.instance import read_instance
from optmodel.solution import Rejection, SolutionStatus, read_solution

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
