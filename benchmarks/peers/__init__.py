"""Ours beside hftbacktest: the same events, the same strategy, the same minute.

``nox -s bench_peers`` makes an environment for hftbacktest, which runs there in a process of its
own; nothing of ours imports it.
"""
