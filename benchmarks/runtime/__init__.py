"""What proving an optimum takes: `python -m benchmarks.runtime`."""
