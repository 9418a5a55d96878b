"""The folder of a study: its design, its crops verified, and the secrets of its server."""

import base64
import hmac
import secrets
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import msgspec

from pdloss.errors import RunError
from pdloss.files import is_plain, write_atomically
from pdloss.records import Record, read_record
from pdloss.study.records import FORMAT, Question, StudyDesign, StudyImage

SHORTEST_SECRET = 16
"""Characters; ours have 43."""

MOST_LINKS = 1_000_000
"""Of raters of one study."""


class Secrets(Record, frozen=True, kw_only=True):
    """``secrets.json``: made by the server when it first starts, readable by its owner alone."""

    admin: str
    """Opens the page of counts and exports."""
    root: str
    """What all raters' keys and codes are derived from."""

    def derived(self, purpose: str, text: str) -> str:
        """Returns 256 bits that only who knows the root can compute, as 43 characters fit for a URL."""
        digest = hmac.digest(self.root.encode(), f"{purpose}\0{text}".encode("utf-8", "surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def link(self, number: int) -> str:
        """Returns the token of a rater's link."""
        return f"{number}.{self.derived('link', str(number))}"

    def link_number(self, token: str) -> int | None:
        """Returns the number in a token of ours, compared in constant time; None of any other."""
        number = token.partition(".")[0]
        if not (number.isascii() and number.isdigit() and len(number) < 8 and int(number) < MOST_LINKS):
            return None
        return int(number) if hmac.compare_digest(self.link(int(number)).encode(), token.encode()) else None


class StudyFolder:
    """A study on disk.

    Args:
        path: Folder that ``pdloss study design`` wrote.

    Raises:
        RunError: If its design cannot be read, is of another format or contradicts itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.design: StudyDesign = read_record(path / "design.json", StudyDesign)
        if self.design.format != FORMAT:
            raise RunError(
                f"{path / 'design.json'} has format {self.design.format}, this pdloss reads {FORMAT}; use the pdloss "
                "that made it"
            )
        self.questions: Mapping[str, Question] = {question.id: question for question in self.design.questions}
        self.images: Mapping[str, StudyImage] = {image.id: image for image in self.design.images}
        _check(self)

    @property
    def database(self) -> Path:
        """Where answers are kept unless a database is named."""
        return self.path / "study.sqlite"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of ``design.json``: a database of answers belongs to one design."""
        return sha256((self.path / "design.json").read_bytes()).hexdigest()

    def verify(self) -> None:
        """Reads every crop.

        Raises:
            RunError: If one is missing, or is not what the design says.
        """
        for image in self.design.images:
            for name in image.files.values():
                self.crop(image, name)

    def crop(self, image: StudyImage, name: str) -> bytes:
        """Returns the file of a crop.

        Raises:
            RunError: If it is missing, or is not what the design says.
        """
        path = self.path / "crops" / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise RunError(f"cannot read {path}: {error.strerror}; restore it, or design the study anew") from None
        if sha256(data).hexdigest() != image.sha256[name]:
            raise RunError(f"{path} is not the crop that the design was made with; restore it")
        return data

    def secrets(self) -> Secrets:
        """Returns the secrets, made when first asked for.

        Raises:
            RunError: If one is so short that it could be guessed.
        """
        path = self.path / "secrets.json"
        if not path.exists():
            made = Secrets(admin=secrets.token_urlsafe(32), root=secrets.token_urlsafe(32))
            data = msgspec.json.encode(made) + b"\n"
            write_atomically(path, lambda temporary: temporary.write_bytes(data), private=True)
        found = read_record(path, Secrets)
        for name in ("admin", "root"):
            if len(getattr(found, name)) < SHORTEST_SECRET:
                raise RunError(
                    f"{path}: the secret {name!r} has {len(getattr(found, name))} characters, and needs "
                    f"{SHORTEST_SECRET} that nobody can guess; restore the file, or remove it for a new one, with "
                    "which raters have to begin anew"
                )
        return found


def _check(study: StudyFolder) -> None:
    """Refuses a design whose parts do not fit each other, as after editing it by hand."""
    design, problem = study.design, ""
    for question in [*design.questions, *design.training]:
        image = study.images.get(question.image)
        if image is None or not {question.left, question.right} <= image.files.keys():
            problem = f"question {question.id} shows what is no crop of it"
        if question.repeats is not None and question.repeats not in study.questions:
            problem = f"question {question.id} repeats {question.repeats}, which there is not"
    for image in design.images:
        if not set(image.files.values()) <= image.sha256.keys():
            problem = f"image {image.id} lacks hashes of its files"
        if not all(is_plain(name) and not name.startswith(".") for name in image.files.values()):
            problem = f"image {image.id} has a file outside the folder crops"
    if unknown := {name for plan in design.schedules for name in plan} - study.questions.keys():
        problem = f"schedules name {min(unknown)}, which is no question"
    if not design.schedules:
        problem = "it has no schedules"
    if problem:
        raise RunError(f"{study.path / 'design.json'} contradicts itself: {problem}; design the study anew")
