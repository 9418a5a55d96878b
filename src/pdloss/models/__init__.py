"""Trained networks by name: `shelf` holds those that ship, `packing` makes one of a run, `evaluating` measures it.

Every number of a model's `card` comes out of ``pdloss models evaluate``. None was trained on a picture that it is
`measured` on.
"""
