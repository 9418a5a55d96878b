"""Files of users' folders: written whole or not at all, inside their folder, over nothing that is not ours."""

from pdloss.files.atomic import (
    remove_unfinished,
    temporary_beside,
    write_atomically,
    write_bytes,
    write_folder,
    write_text,
)
from pdloss.files.inside import is_plain, name_inside, path_inside, refuse_link
from pdloss.files.locks import locked
from pdloss.files.outputs import output, refuse_unwritable
from pdloss.files.places import cache_folder
from pdloss.files.texts import utf8
from pdloss.files.unfinished import clear_unfinished, finish, is_unfinished, mark_unfinished, unfinished_names

__all__ = [
    "cache_folder",
    "clear_unfinished",
    "finish",
    "is_plain",
    "is_unfinished",
    "locked",
    "mark_unfinished",
    "name_inside",
    "output",
    "path_inside",
    "refuse_link",
    "refuse_unwritable",
    "remove_unfinished",
    "temporary_beside",
    "unfinished_names",
    "utf8",
    "write_atomically",
    "write_bytes",
    "write_folder",
    "write_text",
]
