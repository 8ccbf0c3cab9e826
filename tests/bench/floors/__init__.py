"""What the benchmarks measure against, where that is a program of its own."""
