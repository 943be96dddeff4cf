"""Typed fronts of the market: event batches, order books, features, recordings."""
