"""Measurements, one file for each claim."""
