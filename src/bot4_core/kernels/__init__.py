"""Compiled functions on plain numbers and arrays, one file a subject."""
