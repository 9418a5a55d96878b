"""Curves, planes, intervals and bars as SVG and PNG: one palette, one style, one way to save."""
