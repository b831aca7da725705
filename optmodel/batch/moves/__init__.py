"""Ways to a better placement of a batch: construct, plans, recreate, windows, insert."""
