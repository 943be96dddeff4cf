"""Avellaneda-Stoikov market making."""
