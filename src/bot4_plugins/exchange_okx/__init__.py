"""OKX: spot, perpetual swaps and futures."""
