"""Buckets for tests: moto's server, and a proxy before it that fails as real services do."""

from __future__ import annotations

import contextlib
import gc
import http.client
import logging
import shutil
import socket
import subprocess
import threading
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from augcli.files.remote import objects, services
from tests.command import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "NOBODYMAYREADTHIS"
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>"


@dataclass(slots=True)
class Faults:
    """What the proxy does with requests, beside passing them on.

    Attributes:
        delay: Seconds that it waits before each.
        answer: Called with the number, the method and the path of a request; returns ``busy`` (503
            in its place), ``cut`` (half of the answer), ``drop`` (no answer, though the request
            was passed on) or nothing.
        requests: How many there were, by method.
    """

    delay: float = 0.0
    answer: Callable[[int, str, str], str] = lambda number, method, path: ""
    requests: Counter[str] = field(default_factory=Counter)

    def on(self, method: str, fault: str, times: int = 1, part: str = "") -> None:
        """Let the next requests of a method fail, or those whose path has a part."""
        left = [times]

        def answer(_: int, asked: str, path: str) -> str:
            if asked != method or part not in path or not left[0]:
                return ""
            left[0] -= 1
            return fault

        self.answer = answer


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a server of S3."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = (host, port)
        self.faults = Faults()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Proxy

    def _pass_on(self) -> None:
        faults = self.server.faults
        body = self._body()
        number = faults.requests.total()
        faults.requests[self.command] += 1
        time.sleep(faults.delay)
        fault = faults.answer(number, self.command, self.path)
        if fault == "busy":
            self._send(503, {"Content-Type": "application/xml"}, SLOW_DOWN)
            return
        behind = http.client.HTTPConnection(*self.server.behind)
        behind.request(self.command, self.path, body, dict(self.headers))
        answer = behind.getresponse()
        data = answer.read()
        behind.close()
        if fault == "drop":
            self.close_connection = True
            return
        headers = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in ("connection", "content-length", "transfer-encoding")
        }
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self._send(answer.status, headers, data, length, cut=fault == "cut")

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _pass_on  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            del self.headers["Transfer-Encoding"]
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _send(
        self,
        status: int,
        headers: dict[str, str],
        data: bytes,
        length: str | None = None,
        *,
        cut: bool = False,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection = self.close_connection or cut

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def amazon() -> Iterator[tuple[str, int]]:
    """A server of S3, as moto has it; its host and port."""
    pytest.importorskip("moto", reason="needs the test extra")
    pytest.importorskip("s3fs", reason="needs the test extra")
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel("ERROR")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def proxy(amazon: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before it, which all commands of the test use as S3."""
    server = Proxy(*amazon)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(objects, "FIRST_WAIT", 0.001)
    forget_services()
    yield server
    forget_services()
    server.shutdown()
    server.server_close()


@pytest.fixture
def named_bucket(proxy: Proxy) -> Iterator[Callable[[str], str]]:
    """What makes a bucket of a name and returns its URL; they are gone after the test."""
    names: list[str] = []

    def make(name: str) -> str:
        make_bucket(name)
        names.append(name)
        return f"s3://{name}"

    yield make
    proxy.faults = Faults()
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            remove_bucket(name)


@pytest.fixture
def bucket(named_bucket: Callable[[str], str]) -> str:
    """The URL of a new bucket."""
    return named_bucket(f"bucket-{time.monotonic_ns()}")


@pytest.fixture(params=["memory", "s3"])
def any_bucket(request: pytest.FixtureRequest) -> str:
    """The URL of a new bucket, in the memory of this process or on the server."""
    if request.param == "s3":
        url: str = request.getfixturevalue("bucket")
        return url
    pytest.importorskip("fsspec", reason="needs the test extra")
    return f"memory://bucket-{time.monotonic_ns()}"


@pytest.fixture(scope="session")
def google() -> Iterator[str]:
    """An emulator of Google Cloud Storage; its URL. Each of its buckets is made when it is used."""
    pytest.importorskip("gcsfs", reason="make test-buckets installs it")
    pytest.importorskip("gcp_storage_emulator", reason="make test-buckets installs it")
    from gcp_storage_emulator.exceptions import NotFound
    from gcp_storage_emulator.handlers import objects as handlers
    from gcp_storage_emulator.server import create_server

    upload_any = handlers._multipart_upload

    def upload_new(request: Any, response: Any, storage: Any) -> Any:
        """Take the condition that there is no object, as Google does and the emulator does not."""
        if request.query.get("ifGenerationMatch") == ["0"]:
            name = request.query.get("name", [request.data["meta"].get("name")])[0]
            with contextlib.suppress(NotFound):
                storage.get_file_obj(request.params["bucket_name"], name)
                response.status = HTTPStatus.PRECONDITION_FAILED
                response.json({"error": {"code": 412, "message": "there is one"}})
                return None
        return upload_any(request, response, storage)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handlers, "_multipart_upload", upload_new)
        port = free_port()
        server = create_server("127.0.0.1", port, in_memory=True)
        server.start()
        yield f"http://127.0.0.1:{port}"
        server.stop()


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azurite, the emulator of Azure Blob Storage; what connects to it."""
    pytest.importorskip("adlfs", reason="make test-buckets installs it")
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("azurite-blob is not on PATH: npm install -g azurite")
    port = free_port()
    words = [program, "--inMemoryPersistence", "--silent", "--skipApiVersionCheck"]
    folder = tmp_path_factory.mktemp("azurite")
    server = subprocess.Popen(
        [*words, "--disableTelemetry", "--blobPort", str(port)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: is_served(port))
    # The account that the emulator has, and its documented key.
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    account = "devstoreaccount1"
    yield (
        f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};"
        f"BlobEndpoint=http://127.0.0.1:{port}/{account};"
    )
    server.kill()
    server.wait()


@pytest.fixture(params=["memory", "s3", "gs", "az"])
def every_bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a new bucket of each kind of service, where its emulator is installed."""
    name = f"bucket-{time.monotonic_ns()}"
    if request.param in ("gs", "az"):
        if request.param == "gs":
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", request.getfixturevalue("google"))
        else:
            connection = request.getfixturevalue("azure")
            monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
        monkeypatch.setattr(objects, "FIRST_WAIT", 0.001)
        services.opened.cache_clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of packages that leave connections open
            services.service(request.param)._system.mkdir(name)  # type: ignore[attr-defined]
            yield f"{request.param}://{name}"
            services.opened.cache_clear()
            gc.collect()
    elif request.param == "s3":
        yield request.getfixturevalue("bucket")
    else:
        pytest.importorskip("fsspec", reason="needs the test extra")
        yield f"memory://{name}"


def is_served(port: int) -> bool:
    """Return whether something listens at a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port of this machine that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def forget_services() -> None:
    """Let the next request read the environment anew."""
    import s3fs

    services.opened.cache_clear()
    s3fs.S3FileSystem.clear_instance_cache()


def amazon_system() -> Any:
    """Return what makes and removes buckets."""
    return services.service("s3")._system  # type: ignore[attr-defined]


def make_bucket(name: str) -> None:
    """Make an empty bucket."""
    amazon_system().call_s3("create_bucket", Bucket=name)


def remove_bucket(name: str) -> None:
    """Remove a bucket with all that is in it."""
    objects.remove([f"s3://{name}/{entry.key}" for entry in objects.entries(f"s3://{name}")])
    amazon_system().call_s3("delete_bucket", Bucket=name)


def upload(folder: Path, url: str) -> str:
    """Write the files of a folder into a bucket; return the URL that they lie below."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            objects.put(f"{url}/{file.relative_to(folder).as_posix()}", file.read_bytes())
    return url


def download(url: str) -> dict[str, bytes]:
    """Return the objects below a URL, by name."""
    return {entry.key: objects.read(f"{url}/{entry.key}").data for entry in objects.entries(url)}
