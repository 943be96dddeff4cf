"""Simulated venue with a price-time matching engine and a seeded market."""
