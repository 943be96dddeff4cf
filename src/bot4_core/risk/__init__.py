"""What may be at stake: ledger, limits, the breaker panel and the gate."""
