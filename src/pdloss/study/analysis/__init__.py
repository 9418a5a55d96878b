"""After a study: who counts, what people prefer, how surely, and on which scale."""

from pdloss.statistics import bradley_terry, davidson, thurstone
from pdloss.study.analysis.result import Analysis, MethodScore, Scale, analyse, scale

__all__ = ["Analysis", "MethodScore", "Scale", "analyse", "bradley_terry", "davidson", "scale", "thurstone"]
