"""Binance market data: spot, USD-M and COIN-M futures."""
