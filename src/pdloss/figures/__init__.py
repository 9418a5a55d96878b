"""Pictures of the method itself, drawn from real features; those of results are in `pdloss.report`."""

from pdloss.figures.framework import Channel, compared_channels, save_framework

__all__ = ["Channel", "compared_channels", "save_framework"]
