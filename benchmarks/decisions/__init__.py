"""How fast policies decide, and how well: what `python -m benchmarks.policies` measures."""
