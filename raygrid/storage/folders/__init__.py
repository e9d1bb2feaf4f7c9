"""Folders whose files are written completely or not at all: here, at a URL like ``s3://bucket/run``, or in a zip."""

import re
import zipfile
from pathlib import Path
from typing import Any

import fsspec
from upath import UPath

from raygrid.errors import StoreError
from raygrid.storage.folders.folder import Claim, Folder, Location
from raygrid.storage.folders.local import LocalFolder
from raygrid.storage.folders.remote import RemoteFolder
from raygrid.storage.folders.zipped import SUMS, ZipFolder

__all__ = [
    "Claim",
    "Folder",
    "Location",
    "LocalFolder",
    "RemoteFolder",
    "ZipFolder",
    "folder_at",
    "is_packed_store",
    "is_zip",
    "located",
    "readable_at",
]

# With botocore's default of 10 connections, reading many records takes several times as long. Tries are limited to one
# here, because `raygrid.storage.folders.patience` tries again; "adaptive" sends fewer requests a second, as long as the
# server asks for that (503 SlowDown).
# A server that takes a request and never answers must not keep a run from renewing its lock.
_S3_CONFIG = {
    "max_pool_connections": 64,
    "retries": {"total_max_attempts": 1, "mode": "adaptive"},
    "connect_timeout": 10,
    "read_timeout": 20,
}
# More than one request at a time for one object would mean one before each read, to ask for its size.
_S3_OPTIONS = {"config_kwargs": _S3_CONFIG, "max_concurrency": 1}
_OPTIONS: dict[str, dict[str, Any]] = {"s3": _S3_OPTIONS, "s3a": _S3_OPTIONS}
_EXTRAS = {"gs": "gcs", "gcs": "gcs", "s3": "s3", "s3a": "s3"}


def folder_at(where: str | Location) -> LocalFolder | RemoteFolder:
    """Return the folder at a path or a URL.

    Raises
    ------
    StoreError
        It is no URL that an installed package understands.
    """
    location = located(where)
    return LocalFolder(location) if isinstance(location, Path) else RemoteFolder(location)


def readable_at(where: str | Location) -> Folder:
    """Return the folder at a path or a URL; a zip, or what is called like one, is a packed store.

    Raises
    ------
    StoreError
        It is no URL that an installed package understands.
    """
    location = located(where)
    return ZipFolder(location) if isinstance(location, Path) and is_zip(location) else folder_at(location)


def is_zip(path: Path) -> bool:
    """Tell whether a path names a packed store, and not a folder, whether it is there or not."""
    return not path.is_dir() and (path.suffix.lower() == ".zip" or (path.is_file() and zipfile.is_zipfile(path)))


def is_packed_store(path: Path) -> bool:
    """Tell whether a file is a zip that `raygrid pack` wrote, by the names in it."""
    try:
        with zipfile.ZipFile(path) as file:
            return {SUMS, "cells.json"} <= set(file.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def located(where: str | Location) -> Location:
    """Return an absolute `Path`, or a `UPath` with the options of its connection; `/` and `str` work on both.

    Raises
    ------
    StoreError
        It is no URL that an installed package understands.
    """
    text = str(where)
    protocol, separator, rest = text.partition("://")
    if not separator and re.match("[a-z][a-z0-9]+:/", text):
        raise StoreError(f"{text}: got one slash; expected a folder, or a URL such as s3://bucket/run")
    if not separator or protocol == "file":
        return Path(rest or text).expanduser().absolute()
    if not rest.strip("/"):
        raise StoreError(f"{text}: got no bucket; expected a URL such as s3://bucket/run")
    location: UPath = UPath(text, use_listings_cache=False, **_options(text, protocol))  # other machines write as well
    return location


def _options(text: str, protocol: str) -> dict[str, Any]:
    """Return the options of a file system, except those that fsspec's own configuration sets."""
    try:
        fsspec.get_filesystem_class(protocol)
    except ValueError:
        raise StoreError(f"{text}: got {protocol!r}; expected a folder, or a URL such as s3://bucket/run") from None
    except ImportError as error:
        do = f"; do: pip install 'raygrid[{_EXTRAS[protocol]}]'" if protocol in _EXTRAS else ""
        raise StoreError(f"{text}: {error}{do}") from None
    configured = fsspec.config.conf.get(protocol, {})
    return {name: value for name, value in _OPTIONS.get(protocol, {}).items() if name not in configured}
