"""After a study: who counts, what people prefer, how surely, and on which scale."""

from typing import TYPE_CHECKING

from pdloss.faces import face

if TYPE_CHECKING:
    from pdloss.study.analysis.models import bradley_terry as bradley_terry
    from pdloss.study.analysis.models import davidson as davidson
    from pdloss.study.analysis.models import thurstone as thurstone
    from pdloss.study.analysis.result import Analysis as Analysis
    from pdloss.study.analysis.result import MethodScore as MethodScore
    from pdloss.study.analysis.result import Scale as Scale
    from pdloss.study.analysis.result import analyse as analyse
    from pdloss.study.analysis.result import scale as scale
else:
    __getattr__, __dir__ = face(
        __name__,
        {
            "models": ["bradley_terry", "davidson", "thurstone"],
            "result": ["Analysis", "MethodScore", "Scale", "analyse", "scale"],
        },
    )
