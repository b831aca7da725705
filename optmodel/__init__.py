"""The placement problem and its exact solution.

    from optmodel import read_instance, solve

    solution = solve(read_instance(Path("lenet.json")))

`problem` holds what is to be placed, `placement` who computes what and what that costs, `checker`
verifies it in exact arithmetic, `solving` finds the best. docs/glossary.md explains the words.
"""

from typing import TYPE_CHECKING

from optmodel.ground.lazy_face import offer

if TYPE_CHECKING:
    from optmodel.checker import CheckReport, check, check_solution
    from optmodel.ground.rule_errors import InputError, ResultError
    from optmodel.placement import Placement, Rejection, RequestPlacement, Solution, read_solution
    from optmodel.problem import (
        BudgetLedger,
        Instance,
        Problem,
        Request,
        RequestTask,
        read_fleet,
        read_instance,
    )
    from optmodel.search import SolverOptions
    from optmodel.solving import solve

__all__ = [
    "BudgetLedger",
    "CheckReport",
    "InputError",
    "Instance",
    "Placement",
    "Problem",
    "Rejection",
    "Request",
    "RequestPlacement",
    "RequestTask",
    "ResultError",
    "Solution",
    "SolverOptions",
    "check",
    "check_solution",
    "read_fleet",
    "read_instance",
    "read_solution",
    "solve",
]

offer(
    __name__,
    {
        "optmodel.checker": "CheckReport check check_solution",
        "optmodel.ground.rule_errors": "InputError ResultError",
        "optmodel.placement": "Placement Rejection RequestPlacement Solution read_solution",
        "optmodel.problem": "BudgetLedger Instance Problem Request RequestTask "
        "read_fleet read_instance",
        "optmodel.search": "SolverOptions",
        "optmodel.solving": "solve",
    },
)
