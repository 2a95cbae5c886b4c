"""A server of S3 for benchmarks, in a process of its own: moto's, or a cheap one.

    python benchmarks/bucket_server.py --port 5555 --delay 0.02 [--moto] [--generated 1000000]

The cheap one keeps objects in memory and knows only what augcli asks for. With ``--generated`` it
lists that many objects which it doesn't have, a thousand at a time, in 1,000 folders.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FOLDERS = 1000
PAGE = 1000


@dataclass
class Store:
    """The objects, and the answers to requests about them.

    Attributes:
        delay: Seconds before each answer.
        generated: How many objects listings have that are not there.
        objects: Bytes and checksum by path.
    """

    delay: float
    generated: int
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                method, target, headers, body = await _request(reader, writer)
                if self.delay:
                    await asyncio.sleep(self.delay)
                status, more, data = self._answer(method, target, headers, body)
                more.setdefault("Content-Length", str(len(data)))
                lines = [f"HTTP/1.1 {status}", *(f"{name}: {more[name]}" for name in more)]
                writer.write("\r\n".join([*lines, "", ""]).encode())
                if method != "HEAD":
                    writer.write(data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(  # noqa: PLR0911 - one for each request
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[str, dict[str, str], bytes]:
        path, _, text = target.partition("?")
        path, query = unquote(path), parse_qs(text, keep_blank_values=True)
        if "list-type" in query:
            return "200 OK", {}, self._listing(path.strip("/"), query)
        if method == "PUT" and "if-none-match" in headers and path in self.objects:
            return "412 Precondition Failed", {}, b"<Error><Code>PreconditionFailed</Code></Error>"
        if method == "PUT":
            tag = hashlib.md5(body).hexdigest()
            self.objects[path] = body, tag
            return "200 OK", {"ETag": f'"{tag}"'}, b""
        if method == "POST":
            for key in re.findall(r"<Key>(.*?)</Key>", body.decode()):
                self.objects.pop(f"{path.rstrip('/')}/{key}", None)
            return "200 OK", {}, b"<DeleteResult/>"
        if path not in self.objects:
            return "404 Not Found", {}, b"<Error><Code>NoSuchKey</Code></Error>"
        data, tag = self.objects[path]
        more = {"ETag": f'"{tag}"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        if "range" not in headers:
            return "200 OK", {**more, "Content-Length": str(len(data))}, data
        first, last = (int(end) for end in headers["range"].removeprefix("bytes=").split("-"))
        piece = data[first : last + 1]
        more["Content-Range"] = f"bytes {first}-{first + len(piece) - 1}/{len(data)}"
        return "206 Partial Content", more, piece

    def _listing(self, bucket: str, query: dict[str, list[str]]) -> bytes:
        prefix, end = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        if self.generated:
            first = int(query.get("continuation-token", ["0"])[0])
            last = min(first + PAGE, self.generated)
            names = (
                f"{prefix}class-{number * FOLDERS // self.generated:04d}/{number:08d}.jpg"
                for number in range(first, last)
            )
            objects = [
                _contents(name, 60_000, hashlib.md5(name.encode()).hexdigest()) for name in names
            ]
            return _page(objects, [], str(last) if last < self.generated else "")
        begin = f"/{bucket}/"
        objects, folders = [], set()
        for path in sorted(one for one in self.objects if one.startswith(begin + prefix)):
            name = path[len(begin) :]
            inside, slash, _ = name[len(prefix) :].partition(end) if end else (name, "", "")
            if slash:
                folders.add(f"{prefix}{inside}/")
                continue
            data, tag = self.objects[path]
            objects.append(_contents(name, len(data), tag))
        return _page(objects, sorted(folders), "")


async def _request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[str, str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in pairs}
    if "expect" in headers:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding") != "chunked":
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    else:
        pieces = []
        while size := int((await reader.readline()).partition(b";")[0], 16):
            pieces.append((await reader.readexactly(size + 2))[:-2])
        while await reader.readline() != b"\r\n":
            pass
        body = b"".join(pieces)
    if headers.get("x-amz-content-sha256", "").startswith("STREAMING"):
        body = _without_chunks(body)
    return method, target, headers, body


def _without_chunks(body: bytes) -> bytes:
    """Return the object in a body that Amazon's clients cut into chunks, with a checksum after."""
    pieces, at = [], 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].partition(b";")[0], 16)
        if not size:
            return b"".join(pieces)
        pieces.append(body[end + 2 : end + 2 + size])
        at = end + 2 + size + 2


def _contents(name: str, size: int, tag: str) -> str:
    return (
        f"<Contents><Key>{name}</Key><Size>{size}</Size><ETag>&quot;{tag}&quot;</ETag>"
        "<LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
    )


def _page(objects: list[str], folders: list[str], following: str) -> bytes:
    below = "".join(f"<CommonPrefixes><Prefix>{one}</Prefix></CommonPrefixes>" for one in folders)
    more = f"<NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    cut = "true" if following else "false"
    text = f"{''.join(objects)}{below}{more}<IsTruncated>{cut}</IsTruncated>"
    return f"<ListBucketResult>{text}</ListBucketResult>".encode()


def moto(port: int, delay: float) -> None:
    """Serve with moto, which waits before each answer."""
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415
    from werkzeug.serving import WSGIRequestHandler, run_simple  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel("ERROR")
    inner = DomainDispatcherApplication(create_backend_app)

    def late(environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        time.sleep(delay)
        answer: Iterable[bytes] = inner(environment, start)
        return answer

    # Connections stay open, as those of real services do.
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    run_simple("127.0.0.1", port, late, threaded=True)


async def cheap(port: int, store: Store) -> None:
    """Serve from memory."""
    server = await asyncio.start_server(store.serve, "127.0.0.1", port, limit=1 << 26, backlog=256)
    await server.serve_forever()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--moto", action="store_true", help="serve with moto")
    parser.add_argument("--generated", type=int, default=0, help="objects that listings have")
    given = parser.parse_args()
    if given.moto:
        moto(given.port, given.delay)
    else:
        asyncio.run(cheap(given.port, Store(given.delay, given.generated)))


if __name__ == "__main__":
    main()
