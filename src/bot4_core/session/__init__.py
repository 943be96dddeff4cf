"""Sessions: configuration, drivers, the paper venue, replay, reports."""
