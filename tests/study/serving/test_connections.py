"""Floods of connections from loopback: who floods gives up what is theirs, and an honest rater answers everything."""

import asyncio
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from pdloss.errors import SpecError
from pdloss.study.serving.connections import Connections, Listener, protocol
from pdloss.study.serving.guard import network
from pdloss.study.serving.server import networks
from tests.study.studies_for_tests import BEGIN, Running, given, make_study, running

FEW_FILES = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))"


class Fake:
    """A connection that notes its end."""

    def __init__(self, address: str, busy: bool = False) -> None:
        self.address, self.busy, self.open = address, busy, True

    def abort(self) -> None:
        self.open = False


def test_an_address_with_its_share_gives_up_its_oldest_idle_connection() -> None:
    connections = Connections(100, each=3)
    own = [Fake("10.0.0.1", busy=k == 0) for k in range(4)]
    other = Fake("10.0.0.2")
    assert all(connections.enter(one) for one in [other, *own])
    assert [one.open for one in own] == [True, False, True, True]
    assert other.open
    for one in own:
        one.busy = True
    assert not connections.enter(Fake("10.0.0.1")), "all of its share are busy"
    assert connections.enter(Fake("10.0.0.3"))


def test_where_there_is_no_room_the_address_with_most_makes_it() -> None:
    connections = Connections(6, each=6)
    many, few = [Fake("10.0.0.1") for _ in range(4)], [Fake("10.0.0.2") for _ in range(2)]
    assert all(connections.enter(one) for one in [*few, *many])
    assert connections.enter(Fake("10.0.0.3"))
    assert [one.open for one in [*few, *many]] == [True, True, False, True, True, True]
    for one in [*few, *many]:
        one.busy = True
    newcomer = Fake("10.0.0.4")
    assert connections.enter(newcomer), "the one idle connection makes room"
    newcomer.busy = True
    assert connections.enter(Fake("10.0.0.5", busy=True)), "all are busy, and one address has three"
    assert [one.open for one in many] == [False, False, True, True]


def test_connections_that_end_leave_room_and_nothing_behind() -> None:
    draw, connections = random.Random(0), Connections(20, each=5)
    alive: list[Fake] = []
    for _ in range(3000):
        if alive and draw.random() < 0.45:
            connections.leave(alive.pop(draw.randrange(len(alive))))
        else:
            one = Fake(f"10.0.0.{draw.randrange(9)}", busy=draw.random() < 0.3)
            alive += [one] if connections.enter(one) else []
        alive = [one for one in alive if one.open]
        assert len(alive) <= 20
        assert max([0, *(sum(a.address == b.address for b in alive) for a in alive)]) <= 5
    for one in alive:
        connections.leave(one)
        connections.leave(one)
    assert not connections._open and connections._count == 0


def test_a_trusted_proxy_has_no_share() -> None:
    connections = Connections(50, each=2, trusted=[ip_network("10.1.0.0/16"), ip_network("::1")])
    for address in ("10.1.2.3", "::1"):
        assert all(connections.enter(Fake(address, busy=True)) for _ in range(10))
    assert [connections.enter(Fake("10.2.0.1", busy=True)) for _ in range(3)] == [True, True, False]


def test_an_ipv4_address_written_as_ipv6_is_itself() -> None:
    assert network("::ffff:10.0.0.1") == network("10.0.0.1") == "10.0.0.1"
    assert network("2001:db8::1") == network("2001:db8::2") != network("2001:db9::1")


def test_what_is_no_address_of_a_proxy_is_refused() -> None:
    assert [str(one) for one in networks(["10.0.0.1", "10.0.0.0/8", "::1"])] == ["10.0.0.1/32", "10.0.0.0/8", "::1/128"]
    for wrong in ("proxy.example", "*", "", "10.0.0.1/8"):
        with pytest.raises(SpecError, match="--trusted-proxy: .*give its IP address, or its network"):
            networks([wrong])


def test_the_listener_hands_out_a_few_connections_at_a_time() -> None:
    plain = socket.create_server(("127.0.0.1", 0), backlog=64)
    with Listener(plain.family, plain.type, plain.proto, plain.detach()) as listener, ExitStack() as opened:
        for _ in range(20):
            opened.enter_context(socket.create_connection(listener.getsockname()))
        listener.setblocking(False)
        batches = [accepted(listener, opened) for _ in range(4)]
    assert batches == [8, 8, 4, 0]


def accepted(listener: Listener, opened: ExitStack) -> int:
    count = 0
    while True:
        try:
            opened.enter_context(listener.accept()[0])
        except BlockingIOError:
            return count
        count += 1


def talk(
    header: float, request: float, client: Callable, app: Callable | None = None, connections: Connections | None = None
) -> object:
    """Returns what a client makes of a server with these limits of time."""
    import uvicorn
    from uvicorn.server import ServerState

    async def greet(scope: dict, receive: Callable, send: Callable) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def run() -> object:
        http = protocol(connections or Connections(50), header, request)
        config = uvicorn.Config(app or greet, http=http, log_config=None, ws="none")
        config.load()
        state, loop = ServerState(), asyncio.get_running_loop()
        server = await loop.create_server(lambda: config.http_protocol_class(config, state, {}, loop), "127.0.0.1", 0)
        async with server:
            return await asyncio.wait_for(client(*server.sockets[0].getsockname()), 30)

    return asyncio.run(run())


HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"\r\n" + HEAD])
def test_a_head_that_does_not_end_is_not_waited_for(sent: bytes) -> None:
    async def client(host: str, port: int) -> bytes:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(sent)
        if sent.endswith(HEAD + b"\r\n" + HEAD):
            await reader.readuntil(b"ok")
            for letter in HEAD:  # one after the other, as slowly as it can be done
                writer.write(bytes([letter]))
                await asyncio.sleep(0)
        try:
            rest = await reader.read()
        except ConnectionResetError:
            rest = b""
        writer.close()
        return rest

    assert talk(0.05, 1000.0, client) == b"", "the connection was closed"


def test_a_reply_that_nobody_reads_is_given_up() -> None:
    async def large(scope: dict, receive: Callable, send: Callable) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"50000000")]})
        await send({"type": "http.response.body", "body": bytes(50_000_000)})

    connections = Connections(50)

    async def client(host: str, port: int) -> int:
        with socket.create_connection((host, port)) as reader:
            reader.sendall(HEAD + b"\r\n")
            while not connections._count:
                await asyncio.sleep(0)
            while connections._count:  # the reply is far larger than what the kernel takes
                await asyncio.sleep(0.01)
            return connections._count

    assert talk(1000.0, 0.05, client, large, connections) == 0


def test_a_request_in_time_is_answered_and_so_is_the_next_on_the_connection() -> None:
    async def client(host: str, port: int) -> list[bytes]:
        reader, writer = await asyncio.open_connection(host, port)
        found = []
        for _ in range(3):
            writer.write(HEAD + b"\r\n")
            found.append((await reader.readuntil(b"ok"))[:15])
        writer.close()
        return found

    assert talk(1000.0, 1000.0, client) == [b"HTTP/1.1 200 OK"] * 3


@contextmanager
def flood(server: Running, count: int, sent: bytes, address: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """Opens so many connections from one address, sends the same on each, and reads nothing."""
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", server.port), source_address=(address, 0))
            one.sendall(sent)
            opened.append(one)
        yield opened
    finally:
        for one in opened:
            one.close()


def whole_session(server: Running, address: str, nonce: str) -> list[int]:
    """Returns the statuses of all that a rater asks, each question on a connection of its own."""
    statuses = []
    transport = httpx.HTTPTransport(local_address=address, retries=3, limits=httpx.Limits(max_keepalive_connections=0))
    with httpx.Client(base_url=server.address, transport=transport, timeout=60) as http:
        session = http.post("/api/begin", json={"nonce": nonce, **BEGIN}).json()
        headers = {"Authorization": f"Bearer {session['key']}"}
        for position in range(len(session["questions"])):
            statuses.append(http.get(f"/api/picture/{position}/left", headers=headers).status_code)
            statuses.append(http.post("/api/answer", json=given(session, position), headers=headers).status_code)
    return statuses


@pytest.mark.parametrize("sent", [HEAD, b"", b"\x16\x03nonsense\r\n\r\n", HEAD + b"Content-Length: 9999\r\n\r\n"])
def test_an_honest_rater_answers_everything_while_others_flood_the_server(tmp_path: Path, sent: bytes) -> None:
    pytest.importorskip("resource", reason="needs a limit of open files")
    with (tmp_path / "said").open("w+") as said, ExitStack() as floods:
        server = floods.enter_context(running(make_study(tmp_path), before=FEW_FILES, stderr=said))
        floods.enter_context(flood(server, 200, sent))
        floods.enter_context(flood(server, 100, sent, "127.0.0.3"))
        assert whole_session(server, "127.0.0.2", "n" * 30) == [200] * 22
        floods.enter_context(flood(server, 50, sent))
        assert whole_session(server, "127.0.0.2", "m" * 30) == [200] * 22
        assert server.process.poll() is None
    assert (tmp_path / "said").stat().st_size < 20_000
