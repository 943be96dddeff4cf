"""Latching breaker on standardised returns."""
