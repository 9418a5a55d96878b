"""Photographs → training crops and evaluation pairs.

`sources` says where images come from, `photographs` checks them and keeps their pixels, `own_pairs` puts degraded ones
beside their targets, `crops` draws from them.
"""

from pdloss.datasets.crops import Batch, Crops, Degrade, Pair, Pairs, batches, factor_of, random_crop
from pdloss.datasets.near_duplicates import leak_warning, picture_hash, same_pictures
from pdloss.datasets.own_pairs import OwnPairs
from pdloss.datasets.photographs import Photographs
from pdloss.datasets.sources import Source, Split, source

__all__ = [
    "Batch",
    "Crops",
    "Degrade",
    "OwnPairs",
    "Pair",
    "Pairs",
    "Photographs",
    "Source",
    "Split",
    "batches",
    "factor_of",
    "leak_warning",
    "picture_hash",
    "random_crop",
    "same_pictures",
    "source",
]
