"""Ways to a better placement of a batch: construct, recreate, fix and optimise, insert."""
