"""The best known solution beside every instance: `python -m benchmarks.best_known`."""
