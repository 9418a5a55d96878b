"""What the pages may ask of a study, and what they are told: never a method's name, a file's name or a question's kind.

Nothing here knows of HTTP but the numbers of refusals; `serving.server` carries requests in and replies out.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from pdloss.study.folder import StudyFolder
from pdloss.study.records import TARGET, Question
from pdloss.study.serving.access import RETURN_DAYS, Access, KnownBy
from pdloss.study.serving.assignment import chooser
from pdloss.study.serving.requests import AnswerRequest, BeginRequest, Refusal
from pdloss.study.serving.store import ConflictError, Given, Newcomer, Session, Store, TakenError

ACTIVE = timedelta(hours=1)
"""Who has not answered for so long no longer holds a place."""

PARAMETERS = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "workerId", "assignmentId", "hitId")
"""What Prolific and Mechanical Turk put into the address; nothing else is kept."""

_PERSONS = (("PROLIFIC_PID", "SESSION_ID"), ("workerId", "assignmentId"))
"""By which a person is known, and what only their own link holds."""


class Api:
    """Everything raters' pages may ask.

    Args:
        study: The study.
        store: Its database.
        access: Who may take part: whoever has the address; holders of a link of their own, each once; or whoever
            comes first.
        cap: How many may finish where access is capped, and how many links there are; by default as many as planned.
        known_by: How a participant of Prolific or Mechanical Turk is known who comes back without what the browser
            kept: by their id alone, so that they go on where they were whatever link they come by, and so does whoever
            else knows their id; or by the whole of the link they came by, which nobody else has.
        days: How long after their last answer a rater can go on.
    """

    def __init__(
        self,
        study: StudyFolder,
        store: Store,
        access: Access = "open",
        cap: int | None = None,
        known_by: KnownBy = "id",
        days: float = RETURN_DAYS,
    ) -> None:
        self.study, self.store, self.access = study, store, access
        self.known_by, self.days = known_by, days
        self.secrets = study.secrets()
        self.cap = cap or study.design.raters
        self.id = self.secrets.derived("study", study.fingerprint)[:12]

    def about(self) -> dict[str, Any]:
        """Returns what everyone may know."""
        design = self.study.design
        return {
            "id": self.id,
            "title": design.title,
            "consent": design.page.consent,
            "question": design.page.question,
            "crop": design.crop,
            "reference": design.reference,
            "ties": design.ties,
            "phones": design.page.phones,
            "tokens": self.access == "tokens",
            "questions": len(design.schedules[0]) + (design.kind == "active")
            * (design.questions_per_rater + design.repeats_per_rater),
        }  # fmt: skip

    def begin(self, request: BeginRequest) -> dict[str, Any]:
        """Returns a key and where its rater stands: at the start, or where they were.

        Raises:
            Refusal: 403 without a valid link where one is needed; 409 if the same person began elsewhere; 410 if that
                was too long ago; 423 while the study is paused or when it is full.
        """
        given = {name: value for name, value in request.parameters.items() if name in PARAMETERS}
        person = next(((who, own) for who, own in _PERSONS if given.get(who)), None)
        by_id = self.access != "tokens" and self.known_by == "id"
        if self.access == "tokens":
            number = self.secrets.link_number(request.token or "")
            if number is None or number >= self.cap:
                raise Refusal(403, "This study is by invitation, and the link is not complete. Please copy it again.")
            origin = f"link {number}"
        elif person and by_id:
            origin = f"participant {msgspec.json.encode([person[0], given[person[0]]]).decode()}"
        elif person and given.get(person[1]):
            origin = f"parameters {msgspec.json.encode(sorted(given.items())).decode()}"
        else:
            origin = f"nonce {request.nonce}"
        key = self.secrets.derived("rater", origin)
        newcomer = Newcomer(
            rater=f"r{secrets.token_hex(5)}",
            key_hash=_hash(key),
            participant=f"{person[0]} {given[person[0]]}" if person else None,
            parameters=given,
            screen=msgspec.structs.asdict(request.screen),
        )
        since = (datetime.now(UTC) - ACTIVE).isoformat(timespec="milliseconds")
        try:
            cap = self.cap if self.access == "capped" else None
            session = self.store.begin(newcomer, chooser(self.study, since), cap, since, by_id)
        except TakenError:
            raise Refusal(409, "You have begun this study before. Please go on where you began.") from None
        if session is None:
            raise Refusal(423, "Nobody new can begin at the moment: the study is paused, or all places are taken.")
        return {"key": key, **self._progress(session)}

    def session(self, key: str) -> dict[str, Any]:
        """Returns where the rater stands.

        Raises:
            Refusal: 401 if there is no such key; 410 if they were away for too long.
        """
        return self._progress(self._session(key))

    def answer(self, key: str, request: AnswerRequest) -> dict[str, Any]:
        """Returns the position of the next question, once the answer is on the disk.

        Raises:
            Refusal: 401 without a key; 400 if the rater is not asked this there; 409, with the position of the next
                question, if it is another one's turn or another answer was kept.
        """
        session = self._session(key)
        if request.position >= len(session.questions) or session.questions[request.position] != request.question:
            raise Refusal(400, "this question is not asked here", position=session.position)
        if request.choice == "tie" and not self.study.design.ties:
            raise Refusal(400, "one of the two has to be chosen", position=session.position)
        given = Given(request.position, request.question, request.choice, request.seconds, request.key)
        try:
            position = self.store.answer(session, given)
        except ConflictError as error:
            raise Refusal(409, "another question is next", position=error.position) from None
        done = position == len(session.questions)
        return {"position": position, **({"code": self.code(session.rater)} if done else {})}

    def picture(self, key: str, place: str, slot: str) -> bytes:
        """Returns a crop of one of the rater's own questions, or, for ``t0``, ``t1``, … of the training's.

        Raises:
            Refusal: 401 without a key, 404 if there is no such picture.
        """
        session = self._session(key)
        number = place.removeprefix("t")
        if not (number.isascii() and number.isdigit() and len(number) < 6):
            raise Refusal(404, "no such picture")
        asked: Sequence[Question] = (
            self.study.design.training
            if place.startswith("t")
            else [self.study.questions[name] for name in session.questions]
        )
        if int(number) >= len(asked):
            raise Refusal(404, "no such picture")
        question = asked[int(number)]
        name = self._files(question).get(slot)
        if name is None:
            raise Refusal(404, "no such picture")
        return self.study.crop(self.study.images[question.image], name)

    def code(self, rater: str) -> str:
        """Returns the completion code of a rater."""
        own = self.secrets.derived("code", rater).replace("-", "").replace("_", "").upper()[:8]
        return self.study.design.page.completion or own

    def admits(self, secret: str) -> bool:
        """Returns whether this is the secret of the researcher's page, in a time that does not tell how near it is."""
        return hmac.compare_digest(self.secrets.admin.encode(), secret.encode("utf-8", "surrogatepass"))

    def _session(self, key: str) -> Session:
        session = self.store.session(_hash(key))
        if session is None:
            raise Refusal(401, "this session is not known")
        return session

    def _progress(self, session: Session) -> dict[str, Any]:
        asked = [self.study.questions[name] for name in session.questions]
        done = session.position == len(asked)
        last = datetime.fromisoformat(session.last_at)
        if not done and datetime.now(UTC) - last > timedelta(days=self.days):
            raise Refusal(
                410,
                f"You began this study before, and were last here on {last:%d %B %Y}. After {self.days:g} days "
                "it cannot be continued. What you answered is kept; if you are to be paid, write to who invited you.",
            )
        return {
            "position": session.position,
            "questions": [{"id": question.id, **self._hashes(question)} for question in asked],
            "training": [{"expected": q.expected, **self._hashes(q)} for q in self.study.design.training],
            **({"code": self.code(session.rater)} if done else {}),
        }

    def _files(self, question: Question) -> Mapping[str, str]:
        files = self.study.images[question.image].files
        shown = {"left": files[question.left], "right": files[question.right]}
        return shown if self.study.design.reference == "hidden" else shown | {"reference": files[TARGET]}

    def _hashes(self, question: Question) -> dict[str, str]:
        """Returns the hash of each picture of a question, as browsers want it."""
        hashes = self.study.images[question.image].sha256
        return {
            slot: f"sha256-{base64.b64encode(bytes.fromhex(hashes[name])).decode()}"
            for slot, name in self._files(question).items()
        }


def _hash(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
