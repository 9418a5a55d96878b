"""Reverse proxies: who is believed, and configurations that the programs themselves accept."""

import shutil
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from pdloss.commands.study import main
from pdloss.errors import SpecError
from pdloss.study.serving.proxy import proxy_config
from tests.study.studies_for_tests import make_study, running


def statuses(address: str, source: str, count: int = 14) -> list[int]:
    """Returns what a proxy at an address is answered when it asks for as many different visitors."""
    visitors = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(count)]
    with httpx.Client(transport=httpx.HTTPTransport(local_address=source)) as http:
        return [http.get(f"{address}api/study", headers=visitor).status_code for visitor in visitors]


def test_only_a_trusted_proxy_is_believed(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    with running(study, "--rate", "0.1", "--trusted-proxy", "127.0.0.9", "127.1.0.0/16") as server:  # one each
        assert statuses(server.address, "127.0.0.9") == [200] * 14
        assert statuses(server.address, "127.1.2.3") == [429] * 14, "the same visitors, by another proxy"
        assert statuses(server.address, "127.0.0.1") == [200] + [429] * 13
    with (tmp_path / "said").open("w") as said, running(study, "--rate", "0.1", stderr=said) as server:
        assert statuses(server.address, "127.0.0.1") == [200] + [429] * 13
    assert (tmp_path / "said").read_text().count("start the server with --trusted-proxy 127.0.0.1") == 1


@pytest.mark.parametrize("url", [None, "https://study.example.org/colours/", "http://study.example.org"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::", "0.0.0.0"])
def test_nginx_accepts_its_configuration(tmp_path: Path, url: str | None, host: str) -> None:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") or pytest.skip("needs nginx")
    (tmp_path / "nginx.conf").write_text(nginx_around(tmp_path, proxy_config("nginx", host, 8123, url)))
    found = subprocess.run([nginx, "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False)
    assert (found.returncode, "warn" in found.stderr) == (0, False), found.stderr


@pytest.mark.parametrize("url", [None, "https://study.example.org/colours/", "http://study.example.org"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::"])
def test_caddy_accepts_its_configuration(tmp_path: Path, url: str | None, host: str) -> None:
    caddy = shutil.which("caddy") or pytest.skip("needs Caddy")
    path = tmp_path / "Caddyfile"
    path.write_text(proxy_config("caddy", host, 8123, url))
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", path]
    home = {"HOME": str(tmp_path), "PATH": ""}
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=home)
    assert found.returncode == 0, found.stderr


def nginx_around(folder: Path, site: str) -> str:
    places = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"pid {folder}/pid; error_log {folder}/log; events {{}} http {{ {places} {site} }}"


@pytest.mark.parametrize("path", ["", "/colours"])
def test_raters_come_through_nginx_each_with_their_own_limits(tmp_path: Path, path: str) -> None:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") or pytest.skip("needs nginx")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with running(make_study(tmp_path), "--rate", "0.1", "--trusted-proxy", "127.0.0.1") as server:
        site = proxy_config("nginx", "127.0.0.1", server.port, f"http://localhost{path}")
        config = nginx_around(tmp_path, site.replace("listen 80;", f"listen 127.0.0.1:{port};"))
        (tmp_path / "nginx.conf").write_text(f"daemon off; master_process off; {config}")
        proxy = subprocess.Popen([nginx, "-c", tmp_path / "nginx.conf"], stderr=subprocess.DEVNULL)
        try:
            address, found = f"http://127.0.0.1:{port}{path}/api/study", []
            for source in ("127.0.0.5", "127.0.0.5", "127.0.0.6"):
                transport = httpx.HTTPTransport(local_address=source, retries=8)
                with httpx.Client(transport=transport) as http:
                    lie = {"Host": "localhost", "X-Forwarded-For": "198.51.100.7"}
                    found.append(http.get(address, headers=lie).status_code)
            assert found == [200, 429, 200], "by where they come from, and not by what they say"
        finally:
            proxy.terminate()
            proxy.wait()


def test_the_configuration_is_printed_and_nothing_served(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = ["--proxy-config", "nginx", "--url", "https://a.example", "--port", "8001"]
    assert main(["serve", str(tmp_path / "none"), *options]) == 0
    printed = capsys.readouterr().out
    assert "server_name a.example;" in printed
    assert "proxy_pass http://127.0.0.1:8001/;" in printed
    assert "--trusted-proxy 127.0.0.1" in printed


def test_what_would_break_a_configuration_is_refused() -> None:
    with pytest.raises(SpecError, match="needs the server's port"):
        proxy_config("nginx", "127.0.0.1", 0)
    for url in ("https://a;b", "https://", "https://a.example/;x", "https://a.example/a b", "https://a.example/{"):
        with pytest.raises(SpecError, match="expected https:// with a host's name"):
            proxy_config("caddy", "127.0.0.1", 8000, url)
