"""An S3-speaking server on this machine, behind a wire that a test can cut; fixtures for `conftest.py`."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from raygrid.storage.folders import lease


class Wire:
    """Forwards connections to a server; cut, it refuses new ones and drops those at work, as a lost server does."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = 0
        self.listener: socket.socket | None = None
        self.ends: set[socket.socket] = set()
        self.most_ends = 0
        self.counts = False
        self.n_refused = 0
        self.mend()

    def mend(self) -> None:
        """Listen, at the same port as ever."""
        self.counts = False
        if not self.listener:
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            self.port = self.listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def cut(self, *, counts: bool = False) -> None:
        """Stop listening and drop every connection; or take new ones, to count and drop them."""
        self.counts, self.n_refused = counts, 0
        if self.listener and not counts:
            with suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)  # wakes the accept() at work, which would keep it open
            self.listener.close()
            self.listener = None
        for end in list(self.ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near = listener.accept()[0]
                if self.counts:
                    self.n_refused += 1
                    near.close()
                    continue
                far = socket.create_connection(self.target)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        self.ends.add(source)
        self.most_ends = max(self.most_ends, len(self.ends))
        with suppress(OSError):
            while content := source.recv(2**16):
                sink.sendall(content)
            sink.shutdown(socket.SHUT_WR)
        self.ends.discard(source)


class S3:
    """A server, the wire to it, and a client that does not go through the wire."""

    def __init__(self) -> None:
        import boto3  # only here: slow to import, and most tests need neither
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        address = self.server.get_host_and_port()
        self.wire = Wire(address)
        self.environment = {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.wire.port}",
        }
        self.client = boto3.client(
            "s3",
            endpoint_url="http://{}:{}".format(*address),
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            region_name="us-east-1",
        )
        self.buckets = 0

    def new_bucket(self) -> str:
        """Make an empty bucket; return its URL."""
        self.buckets += 1
        self.client.create_bucket(Bucket=f"bucket{self.buckets}")
        return f"s3://bucket{self.buckets}"

    def content(self, url: str) -> dict[str, bytes]:
        """Return every object below a URL, by its name there."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        return {
            key.removeprefix(f"{prefix}/"): self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in keys
        }


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """One server for the suite."""
    server = S3()
    yield server
    server.wire.cut()
    server.server.stop()


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """Return the server, with the environment by which libraries find it, also those in new processes."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(lease, "SETTLE_S", 0.1)  # one at a time
    yield s3_server
    s3_server.wire.mend()


@pytest.fixture
def bucket(s3: S3) -> str:
    """Return the URL of an empty bucket."""
    return s3.new_bucket()
