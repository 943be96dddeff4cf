"""Binance: market data, orders and account of spot, USD-M and COIN-M futures."""
