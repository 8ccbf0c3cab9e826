"""Benchmarks: ratios against a floor in the same run, as performance.md lists them. Run by `make bench`."""
