"""A server in front of an S3 server that does what overloaded servers and broken networks do.

    python faulty_server.py PORT TARGET_PORT --log FILE [--seed N] [--latency-s 0.05] [--slow-down 0.05] ...

A request reaches the server behind it whole or not at all, as with S3 itself, so this process may be killed at any
moment. Every request is one line of JSON in the log. A mood for all requests can be set meanwhile:
``curl -X POST localhost:PORT/-/mood -d throttle`` (or ``refuse``, ``deny``, ``hang``, ``fair``).
"""

import argparse
import asyncio
import hashlib
import json
import math
import random
import time
from typing import IO, Any, ClassVar

import aiohttp
from aiohttp import web

# In this order a random number is compared with the shares.
FAULTS = ("slow_down", "internal_error", "reset_before", "reset_after", "truncated")
MOODS = ("fair", "throttle", "refuse", "deny", "hang")
_ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>{}</Message><RequestId>1</RequestId></Error>"
_HANGS_S = 3600
_OF_ONE_HOP = {"transfer-encoding", "connection", "content-encoding", "content-length", "date", "server", "keep-alive"}


class FaultyServer:
    """Forwards requests, slowly; some are answered with an error, some not at all, of some only the answer is lost."""

    errors: ClassVar[dict[str, tuple[int, str, str]]] = {
        "slow_down": (503, "SlowDown", "Please reduce your request rate."),
        "throttle": (503, "SlowDown", "Please reduce your request rate."),
        "internal_error": (500, "InternalError", "We encountered an internal error. Please try again."),
        "deny": (403, "AccessDenied", "Access Denied"),
    }

    def __init__(self, target: str, shares: dict[str, float], log: IO[str], seed: int) -> None:
        self.target, self.shares, self.log = target, shares, log
        self.latency_s, self.per_second = 0.0, math.inf
        self.second, self.n_in_second = 0, 0
        self.mood, self.random = "fair", random.Random(seed)  # noqa: S311
        self.session: aiohttp.ClientSession | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, or not."""
        if request.path == "/-/mood":
            self.mood = (await request.text()).strip() or "fair"
            return web.Response(text=self.mood)
        body = await request.read()
        fault = self._fault()
        await asyncio.sleep(_HANGS_S if fault == "hang" else self.random.uniform(0.5, 1.5) * self.latency_s)
        if fault in self.errors:
            status, code, text = self.errors[fault]
            self._note(request, body, fault, status)
            return web.Response(status=status, text=_ERROR.format(code, text), content_type="application/xml")
        if fault in ("reset_before", "refuse"):
            self._note(request, body, fault, 0)
            return self._reset(request)
        status, headers, content = await self._forwarded(request, body)
        self._note(request, body, fault, status)
        if fault == "reset_after":
            return self._reset(request)
        if fault == "truncated" and len(content) > 1:
            return await self._truncated(request, status, headers, content)
        headers["Content-Length"] = headers.get("Content-Length") or str(len(content))
        return web.Response(status=status, headers=headers, body=content)

    def _fault(self) -> str:
        if self.mood != "fair":
            return self.mood
        if self._is_too_much():
            return "slow_down"
        drawn = self.random.random()
        for fault in FAULTS:
            drawn -= self.shares[fault]
            if drawn < 0:
                return fault
        return ""

    def _is_too_much(self) -> bool:
        """Count the requests of this second, as a server that limits their rate."""
        if int(time.time()) != self.second:
            self.second, self.n_in_second = int(time.time()), 0
        self.n_in_second += 1
        return self.n_in_second > self.per_second

    async def _forwarded(self, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        self.session = self.session or aiohttp.ClientSession(auto_decompress=False)
        url = self.target + request.raw_path
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "expect")}
        async with self.session.request(request.method, url, headers=headers, data=body) as there:
            content = await there.read()
            kept = {name: value for name, value in there.headers.items() if name.lower() not in _OF_ONE_HOP}
            if request.method == "HEAD" and "Content-Length" in there.headers:
                kept["Content-Length"] = there.headers["Content-Length"]
            return there.status, kept, content

    def _reset(self, request: web.Request) -> web.Response:
        if request.transport:
            request.transport.abort()
        return web.Response()

    async def _truncated(
        self, request: web.Request, status: int, headers: dict[str, str], content: bytes
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers=headers | {"Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: len(content) // 2])
        self._reset(request)
        return response

    def _note(self, request: web.Request, body: bytes, fault: str, status: int) -> None:
        line: dict[str, Any] = {"at": round(time.time(), 3), "method": request.method, "path": request.path}
        line |= {"fault": fault, "status": status}
        if request.method == "PUT" and "/records/" in request.path and 200 <= status < 300:
            line |= {"sha256": hashlib.sha256(body).hexdigest(), "body": body.decode(errors="replace")}
        print(json.dumps(line), file=self.log, flush=True)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("target_port", type=int)
    parser.add_argument("--log", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency-s", type=float, default=0.03)
    parser.add_argument("--per-second", type=float, default=math.inf, help="more requests are told to slow down")
    for fault in FAULTS:
        parser.add_argument(f"--{fault.replace('_', '-')}", type=float, default=0.0, help="share of the requests")
    args = parser.parse_args()
    shares = {fault: getattr(args, fault) for fault in FAULTS}
    with open(args.log, "a", encoding="utf-8") as log:  # noqa: PTH123
        server = FaultyServer(f"http://127.0.0.1:{args.target_port}", shares, log, args.seed)
        server.latency_s, server.per_second = args.latency_s, args.per_second
        app = web.Application(client_max_size=2**31)
        app.router.add_route("*", "/{tail:.*}", server.answer)
        web.run_app(app, host="127.0.0.1", port=args.port, print=None, access_log=None, reuse_address=True)


if __name__ == "__main__":
    main()
