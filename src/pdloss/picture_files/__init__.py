"""Files of pictures: which there are in a folder, how they are opened, and what becomes of their values; no torch here.

`formats` says which are read, `listing` finds them, `opening` hands them to Pillow,
`whole` looks for damage, `values` and `colours` make 8-bit sRGB of whatever a file holds, and `reading` does all of it.
Where nothing may be given up, `originals` reads depth, alpha, `profiles` and `exif`, and `writing` writes them again.
"""

from pdloss.picture_files.formats import SUFFIXES
from pdloss.picture_files.listing import by_key, list_images, passed_over, written_names
from pdloss.picture_files.reading import READING, Picture, Read, read, read_uint8

__all__ = [
    "READING",
    "SUFFIXES",
    "Picture",
    "Read",
    "by_key",
    "list_images",
    "passed_over",
    "read",
    "read_uint8",
    "written_names",
]
