"""Gaps, figures and placements on one page: `python -m benchmarks.report`."""
