"""A user's own pictures through a trained network: any size, any depth, nothing lost.

`places` says which pictures there are and where results go, `picture_files` reads and writes them with all they hold,
`restorer` brings one to what the network takes and back, `engine` runs it in `tiles` as large as there is `room` for,
which overlap by the network's `reach`. `files` does a folder, `single` one picture in a program, and `page` shows what
changed.
"""

from typing import TYPE_CHECKING

from pdloss.lazy_names import lazy_names

if TYPE_CHECKING:
    from pdloss.restoration.files import Failed as Failed
    from pdloss.restoration.files import Restored as Restored
    from pdloss.restoration.files import restore_files as restore_files
    from pdloss.restoration.places import pictures as pictures
    from pdloss.restoration.single import restore as restore
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {"files": ["Failed", "Restored", "restore_files"], "places": ["pictures"], "single": ["restore"]},
    )
