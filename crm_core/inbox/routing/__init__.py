"""Where a new need goes, and why: conditions, words, rules, rehearsal."""
