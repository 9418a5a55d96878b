"""Configurations of reverse proxies that stand before a study's server."""

import re
from typing import Literal
from urllib.parse import urlsplit

from pdloss.errors import SpecError
from pdloss.templates import template

Proxy = Literal["nginx", "caddy"]

_TEMPLATES = {"nginx": "nginx.conf.j2", "caddy": "Caddyfile.j2"}
_EXAMPLE = "https://study.example.org"


def proxy_config(proxy: Proxy, host: str, port: int, url: str | None = None) -> str:
    """Returns the configuration of a proxy that raters reach the server through.

    Args:
        proxy: Which program.
        host: Address at which the server listens.
        port: Its port.
        url: Address under which raters reach the proxy; by default one to be replaced.

    Raises:
        MissingExtraError: If jinja2 is not installed.
        SpecError: If the port is not known beforehand, or the address of the study has parts that no proxy is told.
    """
    if port == 0:
        raise SpecError("--proxy-config needs the server's port; give --port, such as --port 8000")
    parts = urlsplit(url or _EXAMPLE)
    name = parts.hostname or ""
    path = f"{parts.path.rstrip('/')}/"
    if not re.fullmatch(r"[A-Za-z0-9.-]+", name) or not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/", path):
        raise SpecError(f"--url {url}: expected https:// with a host's name and a plain path, as in {_EXAMPLE}/colours")
    upstream = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    rendered = template("pdloss.study", _TEMPLATES[proxy], "study").render(
        name=name,
        path=path,
        port=port,
        site=f"{parts.scheme}://{parts.netloc}",
        upstream=upstream,
        upstream_in_url=f"[{upstream}]" if ":" in upstream else upstream,
        url=url or _EXAMPLE,
    )
    return f"{rendered}\n"
