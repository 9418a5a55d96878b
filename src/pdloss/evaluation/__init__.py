"""Restores photographs with trained networks, and scores what they give, or anybody's pictures; only files remain.

`inputs` are degraded photographs, `pictures` what a run makes of them, `scoring` turns pictures into numbers, and
`reuse` tells which earlier scores still hold. `evaluator` joins them for runs, `folders` for plain files.
"""

from typing import TYPE_CHECKING

from pdloss.lazy_names import lazy_names

if TYPE_CHECKING:
    from pdloss.evaluation.defaults import CONSISTENCY as CONSISTENCY
    from pdloss.evaluation.defaults import DEFAULT_METRICS as DEFAULT_METRICS
    from pdloss.evaluation.evaluator import Evaluation as Evaluation
    from pdloss.evaluation.evaluator import Evaluator as Evaluator
    from pdloss.evaluation.evaluator import evaluate as evaluate
    from pdloss.evaluation.folders import FolderScores as FolderScores
    from pdloss.evaluation.folders import score as score
    from pdloss.evaluation.pictures import load_network as load_network
    from pdloss.evaluation.pictures import restore_batch as restore_batch
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "defaults": ["CONSISTENCY", "DEFAULT_METRICS"],
            "evaluator": ["Evaluation", "Evaluator", "evaluate"],
            "folders": ["FolderScores", "score"],
            "pictures": ["load_network", "restore_batch"],
        },
    )
