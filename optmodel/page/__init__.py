"""One solution as one HTML page that needs nothing else: `solution_page()`.

`solution_view` works out what is shown, `placement_picture` where the placement is drawn,
`templates` turns both into HTML in which everything from files is escaped.
"""

from optmodel.page.solution_view import SolutionView, view_solution
from optmodel.page.templates import environment, render, static_text

__all__ = [
    "SolutionView",
    "environment",
    "render",
    "solution_page",
    "static_text",
    "view_solution",
]


def solution_page(view: SolutionView) -> str:
    """Return a solution as a whole HTML page that asks nothing of any network."""
    return render(environment(), "solution_page.html", view=view)
