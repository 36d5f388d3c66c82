"""Downloads packages through pip, checks them and unpacks their sources, outside the repository.

The downloads are the same on every machine: the wheels for one Python on one platform, whatever is
in use here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from tests.primer.packages import Package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["FetchError", "UnreachableError", "cache_directory", "fetch", "newest"]

_WHEELS = (
    "--only-binary=:all:", "--python-version=3.11", "--implementation=cp",
    "--abi=cp311", "--abi=abi3", "--abi=none",
    "--platform=manylinux_2_28_x86_64", "--platform=manylinux_2_17_x86_64",
    "--platform=manylinux2014_x86_64",
)  # fmt: skip
_SOURCES = (".py", ".ipynb")
# What pip says when there is no way to a registry, as opposed to a registry that says no.
_UNREACHABLE = (
    "connection broken",
    "connection error",
    "ConnectionError",
    "ProxyError",
    "SSLError",
)


class FetchError(Exception):
    """A package can't be had, or is not what the list says. The message says which and why."""


class UnreachableError(FetchError):
    """There is no registry in reach."""


def cache_directory() -> Path:
    """Return where downloads are kept: `$FLUSHLINT_PRIMER_CACHE`, or below the user's cache."""
    chosen = os.environ.get("FLUSHLINT_PRIMER_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "flushlint-primer"


def fetch(package: Package, cache: Path) -> Path:
    """Return the directory with the sources of `package`, fetched if they are not there yet.

    Raises FetchError.
    """
    directory = cache / "sources" / f"{package.name}-{package.version}-{package.sha256[:8]}"
    if directory.is_dir():
        return directory
    archive = cache / "downloads" / package.file
    if not archive.exists() or _sha256(archive) != package.sha256:
        _download(package, archive)
    _unpack(archive, directory)
    return directory


def newest(requirement: str, cache: Path) -> Package:
    """Return the newest release that fits, as ``joblib`` or ``joblib==1.5``. Raises FetchError."""
    name = requirement.partition("=")[0]
    with tempfile.TemporaryDirectory() as directory:
        try:
            _pip(requirement, requirement, Path(directory), *_WHEELS)
        except UnreachableError:
            raise
        except FetchError:
            _pip(requirement, requirement, Path(directory), f"--no-binary={name}")
        (file,) = Path(directory).iterdir()
        kept = cache / "downloads" / file.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, kept)
    return Package(name, _version(kept.name), kept.name, _sha256(kept))


def _version(file: str) -> str:
    if file.endswith(".whl"):
        return file.split("-")[1]
    return file.removesuffix(".tar.gz").removesuffix(".zip").rpartition("-")[2]


def _download(package: Package, archive: Path) -> None:
    """Have pip download one file and check its hash."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as directory:
        wanted = Path(directory) / "requirements.txt"
        wanted.write_text(
            f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8"
        )
        is_wheel = package.file.endswith(".whl")
        options = _WHEELS if is_wheel else (f"--no-binary={package.name}",)
        what = f"--requirement={wanted}"
        _pip(package.title, what, Path(directory), "--require-hashes", *options)
        downloaded = Path(directory) / package.file
        if not downloaded.exists():
            raise FetchError(f"{package.title}: pip has downloaded another file")
        downloaded.replace(archive)


def _pip(title: str, what: str, directory: Path, *options: str) -> None:
    """Run `pip download`. Raises FetchError with the last error that it speaks of.

    It says that it tries again, but in the end that there is no such package.
    """
    command = (sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check")
    quietly = ("--no-input", "--progress-bar=off", "--retries=1", f"--dest={directory}")
    done = subprocess.run(
        [*command, *quietly, *options, what],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    said = reversed(done.stdout.splitlines())
    reason = next((line for line in said if line.startswith("ERROR: ")), "pip failed")
    kind = UnreachableError if any(sign in done.stdout for sign in _UNREACHABLE) else FetchError
    raise kind(f"{title}: {reason.removeprefix('ERROR: ')}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _unpack(archive: Path, directory: Path) -> None:
    """Write the sources of `archive` into `directory`, which is there when all of them are."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as made:
        for name, data in _members(archive):
            path = PurePosixPath(name)
            if path.suffix not in _SOURCES or path.is_absolute() or ".." in path.parts:
                continue
            target = Path(made, "sources", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data())
        Path(made, "sources").mkdir(exist_ok=True)
        try:
            Path(made, "sources").replace(directory)
        except OSError:
            # Somebody else was faster.
            if not directory.is_dir():
                raise


def _members(archive: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the name of each file and what reads it; links and the like are left out."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                if not info.is_dir():
                    yield info.filename, partial(packed.read, info)
    else:
        with tarfile.open(archive) as packed_tar:
            for member in packed_tar:
                file = packed_tar.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield member.name, file.read
