"""How far policies are from the optimum: `python -m benchmarks.gap`."""
