"""Benchmarks: how far policies are from the optimum, and what each run took."""
