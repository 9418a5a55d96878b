"""What benchmarks share: interleaved timing, peak memory, and a record of where they ran."""

from typing import TYPE_CHECKING

from pdloss.lazy_names import lazy_names

if TYPE_CHECKING:
    from pdloss.benchmarking.measuring import environment as environment
    from pdloss.benchmarking.measuring import interleaved as interleaved
    from pdloss.benchmarking.measuring import median_ratio as median_ratio
    from pdloss.benchmarking.measuring import peak_memory as peak_memory
else:
    __getattr__, __dir__ = lazy_names(
        __name__, {"measuring": ["environment", "interleaved", "median_ratio", "peak_memory"]}
    )
