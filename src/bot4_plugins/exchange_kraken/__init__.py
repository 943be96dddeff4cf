"""Kraken: market data and orders, spot and derivatives."""
