"""What stands before every request: limits of size, time and rate, no other site's requests, and headers on replies."""

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page needs nothing but its own files; pictures reach it as blobs, once their hashes are right."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}

LARGEST_BODY = 16 * 1024
"""Bytes; a request to begin, with every parameter as long as it may be, needs less."""

BODY_SECONDS = 20.0


class RateLimit:
    """Lets each address make so many requests in a second, and some more at once.

    Args:
        rate: Requests per second.
        burst: Requests at once, after a rest.
        clock: Tells seconds.
        addresses: How many are remembered; the longest unseen are forgotten first.
    """

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic, addresses: int = 10_000
    ) -> None:
        self._rate, self._burst, self._clock, self._addresses = rate, burst, clock, addresses
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Returns 0 and counts the request, or returns how many seconds too early it comes."""
        address, now = network(address), self._clock()
        left, at = self._left.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        granted = left >= 1
        self._left[address] = (left - granted, now)
        if len(self._left) > self._addresses:
            self._left.popitem(last=False)
        return 0.0 if granted else (1 - left) / self._rate


class Guard:
    """An ASGI application around another.

    Args:
        app: What is guarded.
        limit: Of requests from one address.
        largest: Bytes in the largest body.
        seconds: How long a body may take to arrive.
        disbelieved: Told, the first time, who asks for somebody else without being believed.
    """

    def __init__(
        self,
        app: App,
        limit: RateLimit,
        largest: int = LARGEST_BODY,
        seconds: float = BODY_SECONDS,
        disbelieved: Callable[[str], object] | None = None,
    ) -> None:
        self._app, self._limit, self._largest, self._seconds = app, limit, largest, seconds
        self._disbelieved = disbelieved

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", []) if name.decode() not in HEADERS]
                message["headers"] = kept + [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        address = (scope.get("client") or ("",))[0]
        if self._disbelieved and b"x-forwarded-for" in headers:
            self._disbelieved(address)
            self._disbelieved = None
        if wait := self._limit.wait(address):
            await _refuse(sealed, 429, "too many requests from this address", {"retry-after": str(int(wait) + 1)})
        elif scope["method"] not in ("GET", "HEAD", "POST"):
            await _refuse(sealed, 405, "only GET and POST are understood")
        elif scope["method"] == "POST" and not _own(headers):
            await _refuse(sealed, 403, "requests from other sites are refused")
        else:
            try:
                body = await asyncio.wait_for(self._body(headers, receive), self._seconds)
            except TimeoutError:
                await _refuse(sealed, 408, "the request took too long to arrive", {"connection": "close"})
                return
            if body is None:
                await _refuse(sealed, 413, "the request is too large", {"connection": "close"})
            else:
                await self._app(scope, _replayed(body, receive), sealed)

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        """Returns the whole body, or None if it is too large; what is too large is not read to its end."""
        said = headers.get(b"content-length", b"0")
        if said.isdigit() and len(said) < 20 and int(said) > self._largest:
            return None
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._largest:
                return None
        return body


def _own(headers: dict[bytes, bytes]) -> bool:
    """Returns whether a POST comes from our own page: JSON, by this site, as far as the browser says."""
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        return False  # which also keeps out forms, the only POSTs that other sites' pages can send unasked
    if (site := headers.get(b"sec-fetch-site")) is not None:  # which browsers alone write, no page can
        return site in (b"same-origin", b"none")  # and which holds behind a proxy too that renames the host
    origin = headers.get(b"origin")
    return origin is None or origin.partition(b"://")[2] == headers.get(b"host", b"")


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


async def _refuse(send: Send, status: int, words: str, more: dict[str, str] | None = None) -> None:
    body = f'{{"error": "{words}"}}'.encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **(more or {})}
    started = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": started})
    await send({"type": "http.response.body", "body": body})


def network(address: str) -> str:
    """Returns what one person holds: an IPv4 address, or the first half of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed.packed[:8] + bytes(8), 64)))
