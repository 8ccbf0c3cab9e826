"""What was done and seen, by whom: chained, append-only, verifiable."""
