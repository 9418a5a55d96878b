"""Trained networks by name: `shelf` says what a name stands for, `loading` makes a network of it.

`packing` makes a model that ships of a run, `evaluating` measures it; `sharing` makes a repository's files of one, and
`hub` fetches and writes these. Every number of a model's `card` comes out of ``pdloss models evaluate``. None that
ships was trained on a picture that it is `measured` on.
"""

from typing import TYPE_CHECKING

from pdloss.lazy_names import lazy_names

if TYPE_CHECKING:
    from pdloss.models.loading import load as load
    from pdloss.models.shelf import place_of as place_of
    from pdloss.models.shelf import shipped as shipped
else:
    __getattr__, __dir__ = lazy_names(__name__, {"loading": ["load"], "shelf": ["place_of", "shipped"]})
