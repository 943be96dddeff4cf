"""bot4: an embeddable trading kernel."""
