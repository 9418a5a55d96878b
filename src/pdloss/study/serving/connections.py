"""Which connections are open, how long each may take, and which is given up where there is no room for another.

uvicorn, like other servers, has no setting for this: its `limit_concurrency` turns honest raters away together with a
flood, its `timeout_keep_alive` begins after a first reply, and nothing counts the connections of one address. Hypercorn
and Granian limit the time of headers, but not an address either; so what is missing is written here, around uvicorn.
"""

import asyncio
import errno
import socket
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Protocol, runtime_checkable

from pdloss.study.serving.guard import network

Network = IPv4Network | IPv6Network

HEADER_SECONDS = 10.0
"""For the head of a request to arrive, from its first byte, or from the beginning of the connection."""

REQUEST_SECONDS = 150.0
"""For a request and its reply, on the slowest line: the page itself gives a picture up after 120."""

MOST = 4096
"""Connections at once, files permitting."""

RESERVED = 100
"""Open files kept for pictures being read (40 threads), the database (15 connections), arrivals, and all else."""

ARRIVALS = 8
"""Connections accepted before those accepted earlier are looked at."""


@runtime_checkable
class Connection(Protocol):
    """What is known of an open connection."""

    address: str

    @property
    def busy(self) -> bool:
        """Whether a request has arrived and is not answered wholly."""

    def abort(self) -> None:
        """Closes it at once."""


class Connections:
    """The open connections of a server.

    Where there is no room, the oldest connection without a request under way makes it: of the newcomer's own address if
    that has its share, else of the address with most. Browsers open such a connection again without a word, and whoever
    floods the server gives up what is theirs. Only where all are busy is a newcomer turned away, unless another address
    has more than theirs.

    Args:
        most: At once.
        each: At once from one address; by default a quarter of all, for a laboratory may have one address.
        trusted: Addresses of proxies, which speak for many and may have all connections.
    """

    def __init__(self, most: int, each: int | None = None, trusted: Sequence[Network] = ()) -> None:
        self._most, self._each, self._trusted = most, each or max(8, most // 4), trusted
        self._open: dict[str, dict[Connection, None]] = {}  # of each address the oldest first
        self._count = 0

    def enter(self, newcomer: Connection) -> bool:
        """Returns whether there is room for a connection, which counts from now on if so."""
        owner = network(newcomer.address)
        own = self._open.get(owner, {})
        if len(own) >= self._each and not self._speaks_for_many(newcomer.address) and not self._give_up(owner):
            return False
        if self._count >= self._most and not self._make_room(len(own)):
            return False
        self._open.setdefault(owner, {})[newcomer] = None
        self._count += 1
        return True

    def leave(self, connection: Connection) -> None:
        """Forgets a connection; nothing happens if it was given up or turned away."""
        owner = network(connection.address)
        own = self._open.get(owner, {})
        if connection in own:
            del own[connection]
            self._count -= 1
            if not own:
                del self._open[owner]

    def _make_room(self, own: int) -> bool:
        by_size = sorted(self._open, key=lambda owner: -len(self._open[owner]))
        if any(self._give_up(owner) for owner in by_size):
            return True
        return len(self._open[by_size[0]]) > own + 1 and self._give_up(by_size[0], busy=True)

    def _give_up(self, owner: str, busy: bool = False) -> bool:
        """Returns whether a connection of an address could be given up."""
        victim = next((one for one in self._open.get(owner, {}) if busy or not one.busy), None)
        if victim is not None:
            self.leave(victim)
            victim.abort()
        return victim is not None

    def _speaks_for_many(self, address: str) -> bool:
        try:
            return any(ip_address(address) in proxies for proxies in self._trusted)
        except ValueError:
            return False


class Listener(socket.socket):
    """A listening socket that hands out a few connections at a time.

    asyncio accepts as many as wait, up to thousands, before it looks at the first: more than there may be open files.
    Where those run out it would say so once for each of them.
    """

    _left = ARRIVALS

    def accept(self) -> tuple[socket.socket, Any]:
        """Returns the next connection.

        Raises:
            BlockingIOError: If none waits, or enough were handed out: whoever asks comes back.
        """
        if self._left <= 0:
            self._left = ARRIVALS
            raise BlockingIOError(errno.EAGAIN, "enough for now")
        self._left -= 1
        try:
            return super().accept()
        except OSError as error:
            self._left = ARRIVALS if isinstance(error, BlockingIOError) else 0
            raise


def open_files() -> int:
    """Returns how many files this process may have open, having asked for as many as it can get."""
    try:
        import resource
    except ImportError:  # Windows, where the C library alone sets a limit, and not on sockets
        return MOST + RESERVED
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + RESERVED if hard == resource.RLIM_INFINITY else min(hard, MOST + RESERVED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return MOST + RESERVED if soft == resource.RLIM_INFINITY else soft


def room() -> int:
    """Returns how many connections there can be, so that files are left for everything else."""
    return max(16, min(MOST, open_files() - RESERVED))


def protocol(connections: Connections, header: float = HEADER_SECONDS, request: float = REQUEST_SECONDS) -> type[Any]:
    """Returns uvicorn's protocol, with these connections and limits of time.

    Args:
        connections: Those of the server.
        header: Seconds for the head of a request.
        request: Seconds for a request and its reply.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Timed(H11Protocol):
        """One connection."""

        address = ""
        _timer: asyncio.TimerHandle | None = None
        _timed: object = None  # the request that the timer was started for; none while a head arrives

        @property
        def busy(self) -> bool:
            under_way = self.cycle is not None and not self.cycle.response_complete
            return under_way or self.transport.get_write_buffer_size() > 0

        def abort(self) -> None:
            self.transport.abort()

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.address = self.client[0] if self.client else ""
            if connections.enter(self):
                self._allow(header)
            else:
                self.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            connections.leave(self)
            if self._timer:
                self._timer.cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if not self.busy and self._timed is not None:  # the first bytes of another request
                self._timed = None
                self._allow(header)
            super().data_received(data)
            if self.cycle is not None and self._timed is not self.cycle and not self.cycle.response_complete:
                self._timed = self.cycle
                self._allow(request)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # uvicorn closes what is idle; what it cannot close, because nobody reads the reply, ends by this.
            self._timed = self.cycle
            self._allow(request)

        def _allow(self, seconds: float) -> None:
            if self._timer:
                self._timer.cancel()
            self._timer = self.loop.call_later(seconds, self.abort)

    return Timed
