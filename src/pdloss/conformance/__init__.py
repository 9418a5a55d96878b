"""Does a loss on feature maps do what its kind must? Checks that run on anybody's loss, each with a reason.

A *distribution* loss compares which values each feature takes, wherever they lie, by what it costs to move one sample
of values onto the other (Wasserstein, projected or sliced). A *perceptual* loss compares features place by place.

Public code of the first kind often compares something else: pixels projected and channels sorted, axes reshaped where
they should be transposed, cumulative sums over the raster. Each of these trains, and each answers some check wrongly.

    from pdloss.conformance import assert_conforms

    def test_my_loss_compares_distributions():
        assert_conforms(my_loss)        # (restored, target), both (B, C, H, W) → a scalar, or (B,)
"""

from typing import TYPE_CHECKING

from pdloss.lazy_names import lazy_names

if TYPE_CHECKING:
    from pdloss.conformance.checks import CHECKS as CHECKS
    from pdloss.conformance.checks import assert_conforms as assert_conforms
    from pdloss.conformance.checks import conformance as conformance
    from pdloss.conformance.checks import loss_name as loss_name
    from pdloss.conformance.findings import Check as Check
    from pdloss.conformance.findings import Finding as Finding
    from pdloss.conformance.findings import Verdict as Verdict
    from pdloss.conformance.kinds import Kind as Kind
    from pdloss.conformance.probe import FeatureMapLoss as FeatureMapLoss
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "checks": ["CHECKS", "assert_conforms", "conformance", "loss_name"],
            "findings": ["Check", "Finding", "Verdict"],
            "kinds": ["Kind"],
            "probe": ["FeatureMapLoss"],
        },
    )
