"""How shapes and types are verified on every call under pytest."""

from beartype import BeartypeConf, beartype

typechecked = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""Beartype, with Python's numeric tower: an int is a float."""
