"""Kelly sizing bounded at a quarter of equity."""
