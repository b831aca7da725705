"""What tests of the checker ask of reports and change in documents."""

from optmodel.checker import CheckReport
from optmodel.placement.solution import PlacedRequest, PlacementDocument


def equations(report: CheckReport) -> set[str]:
    return {violation.equation for violation in report.violations}


def with_requests(document: PlacementDocument, *requests: PlacedRequest) -> PlacementDocument:
    return document.model_copy(update={"requests": requests})
