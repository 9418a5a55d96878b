"""Restores photographs with trained networks, and scores what they give, or anybody's pictures; only files remain.

`inputs` are degraded photographs, `pictures` what a run makes of them, `scoring` turns pictures into numbers, and
`reuse` tells which earlier scores still hold. `evaluator` joins them for runs, `folders` for plain files.
"""

from pdloss.evaluation.evaluator import CONSISTENCY, DEFAULT_METRICS, Evaluation, Evaluator, evaluate
from pdloss.evaluation.folders import FolderScores, score
from pdloss.evaluation.pictures import load_network, restore_batch

__all__ = [
    "CONSISTENCY",
    "DEFAULT_METRICS",
    "Evaluation",
    "Evaluator",
    "FolderScores",
    "evaluate",
    "load_network",
    "restore_batch",
    "score",
]
