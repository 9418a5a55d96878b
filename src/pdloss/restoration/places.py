"""Which pictures are restored, where each result is written, and in which format."""

from pathlib import Path

from pdloss.errors import ImageError, UsageError
from pdloss.files.spelling import as_path, spelled
from pdloss.picture_files import SUFFIXES, list_images, written_names
from pdloss.picture_files.listing import names_below
from pdloss.picture_files.writing import SUFFIX, Format, format_of, lossless_format


def pictures(source: Path, out: Path, form: Format | None = None) -> dict[Path, Path]:
    """Returns the image itself, or the images of a folder and of those below it, and where each is written.

    Results lie in `out` as their sources lie in the folder. What lies in `out` itself, below the source, is a result.

    Args:
        source: An image or a folder.
        out: A folder; for one image, also the name of a file.
        form: Of all results; by default that of each source where it loses nothing, else PNG.

    Raises:
        ImageError: If there is none, two would be written under one name, or `out` is called as a picture and cannot
            be the one file.
        UsageError: If `out` is called as a picture of another format than `form`.
    """
    if not source.exists() and as_path(str(source)).exists():
        source = as_path(str(source))
    named = out.suffix.lower() in SUFFIXES and not out.is_dir()
    if source.is_file():
        if source.suffix.lower() not in SUFFIXES:
            raise ImageError(f"{spelled(source)} is not an image pdloss reads ({' '.join(SUFFIXES)})")
        if named:
            return {source: _named(out, form)}
        name = spelled(source.name)
        return {source: out / as_path(written_names([name], lambda _: result_suffix(source, form))[name])}
    if not source.exists():
        raise ImageError(f"{source} does not exist; name an image or a folder of images")
    if named:
        raise ImageError(f"--out {out} is called as a picture, and {spelled(source)} is a folder: name a folder")
    inside, results = out.resolve(), source.resolve() in out.resolve().parents
    found = [path for path in list_images(source, below=True) if not (results and inside in path.resolve().parents)]
    if not found:
        raise ImageError(f"{spelled(source)} holds no image besides the results in {spelled(out)}")
    names = names_below(source, found)
    written = written_names(list(names), lambda name: result_suffix(names[name], form))
    return {names[name]: out / as_path(place) for name, place in written.items()}


def result_suffix(source: Path, form: Format | None) -> str:
    """Returns the suffix of a picture's result: its own where the format stays."""
    form = form or lossless_format(source)
    return source.suffix if format_of(source) == form else SUFFIX[form]


def result_format(written: Path) -> Format:
    """Returns the format of a result, by its name."""
    return format_of(written) or "png"


def _named(out: Path, form: Format | None) -> Path:
    wanted = format_of(out)
    if wanted is None:
        known = ", ".join(sorted(SUFFIX.values()))
        raise ImageError(
            f"--out {out} is called as a picture of a format that is not written: end the name with {known}"
        )
    if form is not None and form != wanted:
        raise UsageError(f"--out {out} and --format {form} ask for two formats; leave one out")
    return out
