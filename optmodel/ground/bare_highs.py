"""HiGHS without Pyomo, for small programmes that are built and changed row by row."""

from typing import Any

import highspy
from pyomo.common.tee import capture_output


def bare_highs() -> Any:
    """Return an empty model that prints nothing.

    It takes as many threads as HiGHS has started in this process: asked for another number than a
    run before, HiGHS refuses to run.
    """
    with capture_output(capture_fd=True):  # It greets before it can be told not to.
        model: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    return model
