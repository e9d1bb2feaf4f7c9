"""Folders of files that are written whole, on this machine or at a URL such as ``s3://bucket/run``."""

import re
from pathlib import Path
from typing import Any

import fsspec
from upath import UPath

from raygrid.errors import StoreError
from raygrid.storage.folders.folder import Claim, Folder, Location
from raygrid.storage.folders.local import LocalFolder
from raygrid.storage.folders.remote import RemoteFolder

__all__ = ["Claim", "Folder", "Location", "LocalFolder", "RemoteFolder", "folder_at", "located"]

# At botocore's own 10 connections reading many records takes several times as long; and how often to try again is
# decided in one place, `raygrid.storage.folders.patience`.
_S3_CONFIG = {"max_pool_connections": 64, "retries": {"total_max_attempts": 1}}
_OPTIONS: dict[str, dict[str, Any]] = {protocol: {"config_kwargs": _S3_CONFIG} for protocol in ("s3", "s3a")}
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


def located(where: str | Location) -> Location:
    """Return a path or a URL as what `/` and `str` work on; a path absolute, of a URL what it takes to connect to it.

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
    location: UPath = UPath(text, use_listings_cache=False, **_options(text, protocol))  # others write as well
    return location


def _options(text: str, protocol: str) -> dict[str, Any]:
    """Return what a file system is made with, but for what fsspec's own configuration says."""
    try:
        fsspec.get_filesystem_class(protocol)
    except ValueError:
        raise StoreError(f"{text}: got {protocol!r}; expected a folder, or a URL such as s3://bucket/run") from None
    except ImportError as error:
        do = f"; do: pip install 'raygrid[{_EXTRAS[protocol]}]'" if protocol in _EXTRAS else ""
        raise StoreError(f"{text}: {error}{do}") from None
    configured = fsspec.config.conf.get(protocol, {})
    return {name: value for name, value in _OPTIONS.get(protocol, {}).items() if name not in configured}
