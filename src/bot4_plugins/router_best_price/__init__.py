"""Routing to the venue with the best price after fees."""
