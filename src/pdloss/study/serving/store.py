"""Raters and answers in a database: what was acknowledged is on the disk, once."""

import hmac
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from pdloss.errors import RunError, UserError
from pdloss.study.serving.console import LOGGER
from pdloss.study.serving.engine import TABLES, database_error, open_engine, problem_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


class Session(NamedTuple):
    """Where a rater stands."""

    rater: str
    questions: tuple[str, ...]
    """By id, in order."""
    position: int
    """Of the question to be answered next; their number at the end."""
    last_at: str
    """When they began or last answered: UTC, ISO 8601."""


class Given(NamedTuple):
    """An answer as it arrived."""

    position: int
    question: str
    choice: str
    seconds: float
    key: str
    """Made by the rater's page; the same when it sends the answer again."""


class Newcomer(NamedTuple):
    """Who begins."""

    rater: str
    key_hash: str
    participant: str | None
    """By which the same person is known again, where there is such a thing."""
    parameters: Mapping[str, str]
    screen: Mapping[str, float]


class ConflictError(Exception):
    """An answer to a question that is not the next, or has another answer already."""

    def __init__(self, position: int) -> None:
        super().__init__(f"the next question is {position}")
        self.position = position


class TakenError(Exception):
    """The same person has begun before, elsewhere, and is not known by their id alone."""


Chooser = Callable[[int, "Store", "Connection"], tuple[int, Sequence[str]]]
"""Returns schedule and questions of the rater who begins as the n-th, n counted from 0."""


class Store:
    """The database of one study.

    Args:
        url: Such as ``sqlite:///study.sqlite`` or ``postgresql://user@host/name``.
        design: Fingerprint of the design, which the database then belongs to.

    Raises:
        MissingExtraError: If SQLAlchemy or the database's driver is not installed.
        UserError: If the database cannot be reached.
        RunError: If it holds answers to another design.
    """

    def __init__(self, url: str, design: str) -> None:
        self._engine = open_engine(url)
        # SQLite has one writer: to wait here, first come first served, beats its retrying after ever longer pauses.
        self.problem: str | None = None
        """Why nothing can be kept at the moment, and since when; none once something was."""
        self._turn = threading.Lock() if self._engine.dialect.name == "sqlite" else None
        try:
            found = self._prepared(design)
        except database_error() as error:
            self.close()
            raise UserError(f"cannot use the database {self._engine.url!r}: {problem_of(error)}") from None
        if found != design:
            self.close()
            raise RunError(
                f"the database {self._engine.url!r} holds answers to another design; name an empty one with --database"
            )

    def _prepared(self, design: str) -> str:
        """Returns the design that the database belongs to: ours, if it was empty."""
        with self.transaction() as connection:
            for table in TABLES:
                self.run(connection, table)
            self.run(
                connection,
                "INSERT INTO study (id, design, begun, paused) VALUES (1, :design, 0, 0) ON CONFLICT DO NOTHING",
                design=design,
            )
            return str(self.run(connection, "SELECT design FROM study")[0].design)

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    def run(self, connection: "Connection", statement: str, **values: Any) -> "Sequence[Row[Any]]":
        """Returns the rows of a statement, whose values are given as parameters and never become part of its text."""
        from sqlalchemy import text

        result = connection.execute(text(statement), values)
        return result.all() if result.returns_rows else []

    def session(self, key_hash: str) -> Session | None:
        """Returns where the rater with this key stands."""
        with self.transaction() as connection:
            return _session(self, connection, key_hash)

    def begin(
        self,
        newcomer: Newcomer,
        chooser: Chooser,
        cap: int | None = None,
        since: str = "",
        by_id: bool = False,
    ) -> Session | None:
        """Returns the session of a rater: the one that the key has already, that of the same participant, or a new one.

        Args:
            newcomer: Who begins.
            chooser: Says what they are asked; called while no one else can begin.
            cap: How many may finish; those count who have, and those active since.
            since: From when a rater counts as active; UTC, ISO 8601.
            by_id: Whether a participant who began with another key goes on with this one.

        Returns:
            The session; None if nobody new is let in, because the study is paused or full.

        Raises:
            TakenError: If the participant has begun with another key, and `by_id` is not set.
        """
        if (known := self.session(newcomer.key_hash)) is not None:
            return known
        with self.writing() as connection:
            # Everyone who begins writes this row first, so that they begin one after the other.
            row = self.run(connection, "UPDATE study SET begun = begun + 1 WHERE id = 1 RETURNING begun, paused")[0]
            known = _session(self, connection, newcomer.key_hash) or _returned(self, connection, newcomer, by_id)
            if known is not None:
                self.run(connection, "UPDATE study SET begun = begun - 1 WHERE id = 1")
                return known
            if row.paused or _full(self, connection, cap, since):
                self.run(connection, "UPDATE study SET begun = begun - 1 WHERE id = 1")
                return None
            at = now()
            schedule, questions = chooser(row.begun - 1, self, connection)
            self.run(
                connection,
                "INSERT INTO raters (id, key_hash, participant, parameters, screen, schedule, questions, position, "
                "begun_at, last_at) VALUES (:rater, :key_hash, :participant, :parameters, :screen, :schedule, "
                ":questions, 0, :at, :at)",
                **newcomer._asdict()
                | {"parameters": _json(newcomer.parameters), "screen": _json(newcomer.screen), "schedule": schedule},
                questions=_json(questions),
                at=at,
            )
        return Session(newcomer.rater, tuple(questions), 0, at)

    def answer(self, session: Session, given: Given) -> int:
        """Keeps an answer and returns the position of the next question; the same answer again changes nothing.

        When this returns, the answer has reached the disk.

        Raises:
            ConflictError: If the question is not the next and the answer is not one that was kept.
        """
        rater, at = session.rater, now()
        with self.writing() as connection:
            moved = self.run(
                connection,
                "UPDATE raters SET position = position + 1, last_at = :at, "
                "finished_at = CASE WHEN position + 1 = :total THEN :at ELSE NULL END "
                "WHERE id = :rater AND position = :position RETURNING position",
                rater=rater,
                position=given.position,
                total=len(session.questions),
                at=at,
            )
            if moved:
                self.run(
                    connection,
                    "INSERT INTO answers (rater, position, question, choice, seconds, at, answer_key) "
                    "VALUES (:rater, :position, :question, :choice, :seconds, :at, :key)",
                    rater=rater,
                    at=at,
                    **given._asdict(),
                )
                return int(moved[0].position)
            kept = self.run(
                connection,
                "SELECT a.question, a.choice, a.answer_key, r.position FROM raters r LEFT JOIN answers a "
                "ON a.rater = r.id AND a.position = :position WHERE r.id = :rater",
                rater=rater,
                position=given.position,
            )[0]
        if (kept.question, kept.choice, kept.answer_key) != (given.question, given.choice, given.key):
            raise ConflictError(int(kept.position))
        return int(kept.position)

    @contextmanager
    def transaction(self) -> "Iterator[Connection]":
        """Yields a connection; what was done with it is kept as a whole, or not at all after an exception."""
        with self._turn or nullcontext(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> "Iterator[Connection]":
        """Yields a connection as `transaction` does, and notes whether what was done could be kept."""
        try:
            with self.transaction() as connection:
                yield connection
        except database_error() as error:
            if self.problem is None:
                self.problem = f"{problem_of(error)} (since {now()})"
                LOGGER.error(
                    "nothing can be saved: %s. Pages keep their raters' answers and try again: make room on the disk, "
                    "or see to the database; the server can go on running", self.problem,
                )  # fmt: skip
            raise
        if self.problem is not None:
            self.problem = None
            LOGGER.warning("answers are saved again")


def now() -> str:
    """Returns the time as it is stored: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _session(store: Store, connection: "Connection", key_hash: str) -> Session | None:
    rows = store.run(
        connection,
        "SELECT id, key_hash, questions, position, last_at FROM raters WHERE key_hash = :key_hash",
        key_hash=key_hash,
    )
    if not rows or not hmac.compare_digest(rows[0].key_hash, key_hash):
        return None
    (row,) = rows
    return Session(row.id, tuple(msgspec.json.decode(row.questions, type=list[str])), int(row.position), row.last_at)


def _returned(store: Store, connection: "Connection", newcomer: Newcomer, by_id: bool) -> Session | None:
    """Returns the session that the same participant began with another key, which the new one replaces."""
    if newcomer.participant is None:
        return None
    rows = store.run(
        connection, "SELECT id FROM raters WHERE participant = :participant", participant=newcomer.participant
    )
    if rows and not by_id:
        raise TakenError
    for row in rows:
        store.run(
            connection, "UPDATE raters SET key_hash = :key_hash WHERE id = :id", key_hash=newcomer.key_hash, id=row.id
        )
    return _session(store, connection, newcomer.key_hash) if rows else None


def _full(store: Store, connection: "Connection", cap: int | None, since: str) -> bool:
    counted = "SELECT COUNT(*) AS n FROM raters WHERE finished_at IS NOT NULL OR last_at >= :since"
    return cap is not None and int(store.run(connection, counted, since=since)[0].n) >= cap


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
