"""What the benchmarks share: options, tables, records of finished runs, where they come from."""
