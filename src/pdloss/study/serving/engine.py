"""The database behind a study: SQLite or PostgreSQL, its tables, and what it raises when it fails."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdloss.errors import MissingExtraError, UserError

if TYPE_CHECKING:
    from sqlalchemy import Engine

TABLES = (
    """CREATE TABLE IF NOT EXISTS study (
        id INTEGER PRIMARY KEY CHECK (id = 1), design TEXT NOT NULL, begun INTEGER NOT NULL, paused INTEGER NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS raters (
        id TEXT PRIMARY KEY, key_hash TEXT NOT NULL UNIQUE, participant TEXT UNIQUE, parameters TEXT NOT NULL,
        screen TEXT NOT NULL, schedule INTEGER NOT NULL, questions TEXT NOT NULL, position INTEGER NOT NULL,
        begun_at TEXT NOT NULL, last_at TEXT NOT NULL, finished_at TEXT
    )""",
    """CREATE TABLE IF NOT EXISTS answers (
        rater TEXT NOT NULL REFERENCES raters (id), position INTEGER NOT NULL, question TEXT NOT NULL,
        choice TEXT NOT NULL, seconds DOUBLE PRECISION NOT NULL, at TEXT NOT NULL, answer_key TEXT NOT NULL,
        PRIMARY KEY (rater, position)
    )""",
)


def database_error() -> tuple[type[Exception], ...]:
    """Returns what is raised when the database fails or keeps all waiting, so that its user can ask again later."""
    from sqlalchemy.exc import DBAPIError, TimeoutError  # noqa: A004

    return DBAPIError, TimeoutError


def problem_of(error: Exception) -> str:
    """Returns what the database said when it failed, in one line."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0] or type(error).__name__


def open_engine(url: str) -> "Engine":
    """Returns the way to a database.

    Raises:
        MissingExtraError: If SQLAlchemy or the database's driver is not installed.
        UserError: If the address is none, or of another kind of database.
    """
    try:
        import sqlalchemy
    except ImportError:
        raise MissingExtraError("sqlalchemy", "study") from None
    try:
        parsed = sqlalchemy.make_url(url)
        kind = parsed.get_backend_name()
        if kind in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        elif kind != "sqlite":
            raise UserError(f"answers are kept in SQLite or PostgreSQL, not in {kind}")
        # A connection that the database dropped, as when it was restarted, is found out before it is used.
        engine = sqlalchemy.create_engine(parsed, pool_pre_ping=True)
    except sqlalchemy.exc.ArgumentError as error:
        raise UserError(f"{url!r} is no database's address, such as postgresql://user@host/name: {error}") from None
    except ImportError:
        raise MissingExtraError("psycopg", "study") from None
    if engine.dialect.name == "sqlite":
        if parsed.database not in (None, "", ":memory:"):
            _make_private(Path(str(parsed.database)))
        sqlalchemy.event.listen(engine, "connect", _durable)
    return engine


def _make_private(file: Path) -> None:
    """Makes an empty database that only its owner can read, for raters' ids stand in it; its journal follows it."""
    if file.parent.is_dir():  # if not, SQLite says so
        file.touch(mode=0o600, exist_ok=True)


def _durable(connection: Any, _: Any) -> None:
    """Sets SQLite up so that a transaction has reached the disk when it ends, and readers do not wait for writers."""
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {setting}")
