"""Placement without a solver: the paper's online greedy, each decision checked exactly."""
