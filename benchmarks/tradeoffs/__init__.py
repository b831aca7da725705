"""What a promise costs: `python -m benchmarks.tradeoffs`."""
