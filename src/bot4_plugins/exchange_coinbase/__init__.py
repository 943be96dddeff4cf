"""Coinbase Advanced Trade: market data and orders."""
