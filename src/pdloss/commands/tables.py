"""What commands do with scores: a table in the terminal, and files in the formats that were asked for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pdloss.errors import SpecError
from pdloss.files import output, write_text
from pdloss.files.options import OverwriteOptions
from pdloss.records import Scores, write_record
from pdloss.tables import scores as score_tables
from pdloss.tables import terminal
from pdloss.tables.latex import latex
from pdloss.tables.markdown import markdown


@dataclass(frozen=True, kw_only=True)
class TableOptions(OverwriteOptions):
    """Where to write the scores to, beside the terminal."""

    csv: Path | None = None
    """File for every single value, one line a picture."""
    json: Path | None = None
    """File for the scores with all that is known of them."""
    markdown: Path | None = None
    """File for the table of means, in Markdown."""
    latex: Path | None = None
    """File for the table of means, in LaTeX."""

    @contextmanager
    def files(self) -> Iterator[None]:
        """Refuses, before hours of work, a name that no file can have or that another file has; then lets write.

        Raises:
            SpecError: If there is one, or two are the same.
            UserError: If a file of that name is there, was not written by us, and is not to be replaced.
        """
        given = {"csv": self.csv, "json": self.json, "markdown": self.markdown, "latex": self.latex}
        asked = {option: path for option, path in given.items() if path is not None}
        for option, path in asked.items():
            if path.is_dir():
                raise SpecError(f"--{option} {path} is a folder; name a file in it")
        if len({path.resolve() for path in asked.values()}) < len(asked):
            raise SpecError(f"--{' and --'.join(asked)} name the same file; give each its own")
        with output(*asked.values(), overwrite=self.overwrite, option="file"):
            yield

    def write(self, results: Sequence[Scores], names: Sequence[str] | None, one: bool = False) -> None:
        """Writes the files that were asked for, each whole or not at all.

        Args:
            results: The scores.
            names: The metrics to show in tables of means; by default all.
            one: Write the only record by itself and not in an array.
        """
        shown = score_tables.tables(results, names)
        if self.csv:
            write_text(self.csv, score_tables.values_csv(results))
        if self.json:
            write_record(self.json, results[0] if one else results)
        if self.markdown:
            write_text(self.markdown, markdown(shown))
        if self.latex:
            write_text(self.latex, latex(shown))


def print_tables(results: Sequence[Scores], names: Sequence[str] | None, notes: Sequence[str]) -> None:
    """Prints the means, best values bold, how each is to be read, and the notes."""
    terminal.show(score_tables.tables(results, names))
    terminal.say(dict.fromkeys(notes))
