"""Typed fronts of the quantitative models: impact, toxicity of flow, games.

Import a model from its own module (``bot4_core.models.kyle``, say): each loads its kernels, and
importing this package loads none.
"""
