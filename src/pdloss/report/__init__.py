"""Runs side by side on one page: scores, curves and crops, from files alone; neither torch nor a GPU is needed."""

from pdloss.report.page import write_report

__all__ = ["write_report"]
