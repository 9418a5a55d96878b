"""Public sets of photographs: `catalogue` knows them, `fetching` brings one part, `library` says what is here."""

from pdloss.photo_sets.catalogue import SETS, Download, Part, PhotoSet
from pdloss.photo_sets.library import DataError, default_folder, get, photo_set, state

__all__ = ["SETS", "DataError", "Download", "Part", "PhotoSet", "default_folder", "get", "photo_set", "state"]
