"""What patients agreed to, and what they asked for: the ledger, and the requests that bind every sender."""
