"""The web server of a study: which address leads where; what is answered stands in `pdloss.study.serving.api`."""

import errno
import socket
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import msgspec

from pdloss.errors import MissingExtraError, RunError, SpecError, UserError
from pdloss.study.serving import reading
from pdloss.study.serving.api import Api
from pdloss.study.serving.connections import Connections, Listener, Network, protocol, room
from pdloss.study.serving.console import LOGGER, limit_log_rate
from pdloss.study.serving.engine import database_error, problem_of
from pdloss.study.serving.guard import App, Guard, RateLimit
from pdloss.study.serving.overview import exported, overview
from pdloss.study.serving.requests import AnswerRequest, BeginRequest, PauseRequest, Refusal, decoded

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

PAGES = {"": "study.html", "admin": "admin.html"}
FILES = (
    "study.css",
    "study.js",
    "ask.js",
    "pictures.js",
    "queue.js",
    "requests.js",
    "screen.js",
    "admin.js",
    "icon.svg",
)
_MEDIA = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def application(api: Api, limit: RateLimit | None = None, trusted: Sequence[str] = ()) -> App:
    """Returns the ASGI application of a study.

    Args:
        api: What it answers with.
        limit: Of requests from one address; by default 50 in a second, and 500 at once.
        trusted: As `serve`'s.

    Raises:
        MissingExtraError: If Starlette is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.routing import Route
    except ImportError:
        raise MissingExtraError("starlette", "study") from None

    def ask(answer: Callable[["Request", bytes], Any]) -> Callable[["Request"], Awaitable["Response"]]:
        return _endpoint(answer)

    def admin(answer: Callable[["Request", bytes], Any]) -> Callable[["Request"], Awaitable["Response"]]:
        def only(request: "Request", body: bytes) -> Any:
            if not api.admits(_key(request)):
                raise Refusal(401, "This secret is not the one that the server printed")
            return answer(request, body)

        return _endpoint(only, frank=True)

    def pause(request: "Request", body: bytes) -> Any:
        reading.set_paused(api.store, decoded(body, PauseRequest).paused)
        return overview(api)

    def export(request: "Request", body: bytes) -> Any:
        found = exported(api, request.path_params["what"])
        if found is None:
            raise Refusal(404, "no such file")
        return found

    def picture(request: "Request", body: bytes) -> Any:
        data = api.picture(_key(request), request.path_params["place"], request.path_params["slot"])
        return data, "image/png"

    routes = [
        *(Route(f"/{path}", _file(name), methods=["GET"]) for path, name in PAGES.items()),
        *(Route(f"/{name}", _file(name), methods=["GET"]) for name in FILES),
        Route("/api/study", ask(lambda request, body: api.about()), methods=["GET"]),
        Route("/api/begin", ask(lambda request, body: api.begin(decoded(body, BeginRequest))), methods=["POST"]),
        Route("/api/session", ask(lambda request, body: api.session(_key(request))), methods=["GET"]),
        Route(
            "/api/answer",
            ask(lambda request, body: api.answer(_key(request), decoded(body, AnswerRequest))),
            methods=["POST"],
        ),
        Route("/api/picture/{place}/{slot}", ask(picture), methods=["GET"]),
        Route("/api/admin/overview", admin(lambda request, body: overview(api)), methods=["GET"]),
        Route("/api/admin/pause", admin(pause), methods=["POST"]),
        Route("/api/admin/export/{what}", admin(export), methods=["GET"]),
    ]
    disbelieved = None if trusted else _say_disbelieved
    return Guard(Starlette(routes=routes), limit or RateLimit(50, 500), disbelieved=disbelieved)


def _say_disbelieved(address: str) -> None:
    LOGGER.warning(
        "%s asks for somebody else (X-Forwarded-For) and is not believed: if it is your proxy, all raters share its "
        "limits until you start the server with --trusted-proxy %s", address, address,
    )  # fmt: skip


def serve(
    api: Api,
    host: str,
    port: int,
    say: Callable[[str], object],
    limit: RateLimit | None = None,
    trusted: Sequence[str] = (),
) -> None:
    """Serves a study until it is told to stop.

    Args:
        api: The study.
        host: Address to listen at.
        port: Port to listen at; 0 for any free one.
        say: Told of the address, once requests will be answered.
        limit: As `application`'s.
        trusted: Addresses or networks of proxies that are believed when they say for whom they ask.

    Raises:
        MissingExtraError: If uvicorn is not installed.
        UserError: If the address cannot be listened at.
    """
    try:
        import uvicorn
    except ImportError:
        raise MissingExtraError("uvicorn", "study") from None
    app = application(api, limit, trusted)
    connections = Connections(room(), trusted=networks(trusted))
    config = uvicorn.Config(
        app,
        loop="asyncio",  # which takes connections from our listener, and no faster than it gives them
        http=protocol(connections),
        ws="none",
        h11_max_incomplete_event_size=16 * 1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=list(trusted),
        # Addresses of raters are not written down, and nothing says which server this is.
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    end = limit_log_rate()
    try:
        with _listening(host, port) as listener:
            name = f"[{host}]" if ":" in host else host
            say(f"http://{name}:{listener.getsockname()[1]}/")
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        end()


def networks(addresses: Sequence[str]) -> list[Network]:
    """Returns the networks of addresses such as ``10.0.0.1``, ``10.0.0.0/8`` or ``::1``.

    Raises:
        SpecError: If one is none.
    """
    try:
        return [ip_network(address) for address in addresses]
    except ValueError as error:
        raise SpecError(f"--trusted-proxy: {error}; give its IP address, or its network such as 10.0.0.0/8") from None


def _listening(host: str, port: int) -> Listener:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # Whoever comes from now on waits, and is not turned away.
        made = socket.create_server((host, port), family=family, backlog=1024)
        return Listener(made.family, made.type, made.proto, made.detach())
    except OSError as error:
        problem = (error.strerror or str(error)).partition(" (while")[0]
        taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
        cure = "choose another with --port" if taken else "give an address of this machine with --host"
        raise UserError(f"cannot listen at {host}, port {port}: {problem}; {cure}") from None


def _endpoint(
    answer: Callable[["Request", bytes], Any], frank: bool = False
) -> Callable[["Request"], Awaitable["Response"]]:
    """Returns the endpoint that replies with what `answer` returns: something for JSON, or bytes and their type.

    Args:
        answer: Given the request and its body.
        frank: Whether who asks is told why the database fails.
    """
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response

    async def endpoint(request: "Request") -> "Response":
        body = await request.body()
        try:
            found = await run_in_threadpool(answer, request, body)
        except Refusal as refusal:
            return _json({"error": refusal.words, **refusal.more}, refusal.status)
        except database_error() as error:  # the page asks again by itself
            why = f": {problem_of(error)}" if frank else ""
            return _json({"error": f"The server cannot read or save anything at the moment{why}"}, 503)
        except RunError as error:  # a crop that is gone or damaged, which the researcher can put back
            LOGGER.error("%s", error)
            return _json({"error": str(error) if frank else "The server lacks a file of the study"}, 503)
        if isinstance(found, tuple):
            return Response(found[0], media_type=found[1])
        return _json(found, 200)

    def _json(found: Any, status: int) -> "Response":
        return Response(msgspec.json.encode(found), status, media_type="application/json")

    return endpoint


def _file(name: str) -> Callable[["Request"], Awaitable["Response"]]:
    from starlette.responses import Response

    data = files("pdloss.study").joinpath("templates", name).read_bytes()

    async def endpoint(request: "Request") -> "Response":
        return Response(data, media_type=_MEDIA[name.rpartition(".")[2]])

    return endpoint


def _key(request: "Request") -> str:
    """Returns what stands in the header Authorization: never in an address, which logs and proxies would keep."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" else ""
