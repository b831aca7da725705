"""HiGHS without Pyomo, for small programmes that are built and changed row by row."""

from typing import Any

import highspy
from pyomo.common.tee import capture_output


def bare_highs() -> Any:
    """Return an empty model that prints nothing and runs on one thread."""
    with capture_output(capture_fd=True):  # It greets before it can be told not to.
        model: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    return model
