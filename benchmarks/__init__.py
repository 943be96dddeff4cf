"""Measurements; each ``bench_*`` module gives rows of medians beside a baseline."""
