"""The default heuristic: requests placed one after another, as they arrive, without a solver."""
