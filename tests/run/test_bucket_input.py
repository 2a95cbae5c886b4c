"""INPUT, tables and scorers by URL: the same outputs as from a folder, and nothing secret kept."""

from __future__ import annotations

import io
import json
import shutil
import ssl
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.data.stores.object_walk import ObjectWalk
from augcli.data.stores.sources import Sources
from augcli.files import Entry
from augcli.files.remote import objects
from augcli.files.remote.services import Read
from tests.arrays import SETS
from tests.buckets import SECRET, upload
from tests.command import call, environment
from tests.photos import class_folders, rows, tree
from tests.shards import shards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.buckets import Proxy
    from tests.conftest import Cli


def outputs(out: Path) -> dict[str, bytes]:
    """Return what OUT holds, without the records of sources, which say when they changed."""
    return {name: data for name, data in tree(out, hidden=False).items() if name != "README.md"}


def test_a_bucket_gives_the_outputs_of_a_folder(
    cli: Cli, photos: Path, tmp_path: Path, any_bucket: str
) -> None:
    url = upload(photos, f"{any_bucket}/photos")
    for name, source in (("there", url), ("here", photos)):
        end = cli("cutmix", source, "--out", tmp_path / name)
        assert end.code == 0, end.err
    assert outputs(tmp_path / "there") == outputs(tmp_path / "here")
    end = cli("cutmix", url, "--out", tmp_path / "there")
    assert "nothing to do" in end.err
    end = cli("verify", tmp_path / "there", "--against", url)
    assert "9 made again, 9 of them identical" in end.out


def test_workers_read_a_bucket(photos: Path, tmp_path: Path, bucket: str) -> None:
    url = upload(photos, f"{bucket}/photos")
    augcli.augment(url, augcli.Cutout(patch=8), out=tmp_path / "there", workers=2)
    augcli.augment(photos, augcli.Cutout(patch=8), out=tmp_path / "here", workers=2)
    assert outputs(tmp_path / "there") == outputs(tmp_path / "here")


def test_a_preview_of_a_bucket_is_that_of_a_folder(photos: Path, bucket: str) -> None:
    url = upload(photos, f"{bucket}/photos")
    there, here = (
        augcli.preview(source, augcli.CutMix(), rows=3, vary="top_n=3,6")
        for source in (url, photos)
    )
    assert there.tobytes() == here.tobytes()


def test_a_whole_bucket_is_inspected_as_a_folder_is(
    cli: Cli, photos: Path, any_bucket: str
) -> None:
    upload(photos, any_bucket)
    objects.put(f"{any_bucket}/cat/notes.txt", b"no picture")
    objects.put(f"{any_bucket}/.hidden/a.jpg", b"not looked at")
    found = json.loads(cli("inspect", any_bucket, "--json").out)
    assert found["input"] == any_bucket
    assert found["classes"] == {"cat": 4, "dog": 3, "emu": 2}
    assert found["skipped"] == {".txt file (no image by its name)": 1}


@pytest.mark.parametrize("kind", ["tar", *SETS])
def test_containers_are_read_by_range(cli: Cli, tmp_path: Path, any_bucket: str, kind: str) -> None:
    source = (
        shards(tmp_path / "tars", "a-0.tar", "a-1.tar") if kind == "tar" else SETS[kind](tmp_path)
    )
    folder = source if source.is_dir() else source.parent
    upload(folder, f"{any_bucket}/set")
    url = f"{any_bucket}/set" if source.is_dir() else f"{any_bucket}/set/{source.name}"
    for name, place in (("there", url), ("here", source)):
        end = cli("cutout", place, "--patch", 4, "--out", tmp_path / name)
        assert end.code == 0, end.err
    assert outputs(tmp_path / "there") == outputs(tmp_path / "here")


def test_archives_are_named_by_a_pattern(cli: Cli, tmp_path: Path, any_bucket: str) -> None:
    upload(shards(tmp_path / "tars", "a-0.tar", "a-1.tar", "b.tar"), f"{any_bucket}/tars")
    found = json.loads(cli("inspect", f"{any_bucket}/tars/a-{{0..1}}.tar", "--json").out)
    assert found["images"] == 12
    end = cli("inspect", f"{any_bucket}/tars/a-{{1..2}}.tar")
    assert end.code == 2
    assert f"{any_bucket}/tars/a-2.tar does not exist" in end.err


def test_tables_lie_in_a_bucket(cli: Cli, photos: Path, tmp_path: Path, any_bucket: str) -> None:
    table = "".join(f"{path.name},{path.parent.name}s\n" for path in sorted(photos.rglob("cat/*")))
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in photos.rglob("cat/*"):
        shutil.copy2(path, flat)
    url = upload(flat, f"{any_bucket}/flat")
    objects.put(f"{any_bucket}/tables/labels.csv", f"file_name,label\n{table}".encode())
    objects.put(f"{url}/labels.csv", f"file_name,label\n{table}".encode())
    objects.put(f"{any_bucket}/tables/classes.txt", b"dogs\ncats\n")
    given = ("--labels", f"{any_bucket}/tables/labels.csv")
    order = ("--classes", f"{any_bucket}/tables/classes.txt")
    for arguments in ((url, *given), (f"{url}/labels.csv",), (flat, *given, *order)):
        out = tmp_path / f"out-{len(arguments)}"
        end = cli("cutout", *arguments, "--patch", 8, "--out", out)
        assert end.code == 0, end.err
        assert {row["label_a"] for row in rows(out)} == {"cats"}
    assert (tmp_path / "out-5" / "classes.txt").read_text() == "dogs\ncats\n"


def test_a_scorer_lies_in_a_bucket(
    cli: Cli, photos: Path, tmp_path: Path, any_bucket: str, scorer: Path
) -> None:
    objects.put(f"{any_bucket}/models/scorer.onnx", scorer.read_bytes())
    for name, model in (("there", f"{any_bucket}/models/scorer.onnx"), ("here", scorer)):
        end = cli("cutmix", photos, "--model", model, "--out", tmp_path / name)
        assert end.code == 0, end.err
    assert outputs(tmp_path / "there") == outputs(tmp_path / "here")
    end = cli("cutmix", photos, "--model", f"{any_bucket}/models/none.onnx", "--overwrite")
    assert end.code == 2
    assert "--model" in end.err
    assert "there is no object of this name" in end.err


def test_a_changed_object_is_noticed(
    cli: Cli, photos: Path, tmp_path: Path, any_bucket: str
) -> None:
    url = upload(photos, f"{any_bucket}/photos")
    assert cli("cutmix", url, "--out", tmp_path / "out").code == 0
    objects.put(f"{url}/cat/000.jpg", objects.read(f"{url}/cat/002.jpg").data)
    end = cli("cutmix", url, "--out", tmp_path / "out")
    assert "1 changed" in end.err
    end = cli("cutmix", url, "--out", tmp_path / "new")
    assert outputs(tmp_path / "out") == outputs(tmp_path / "new")


def test_an_object_that_changes_during_the_run_is_a_row(
    cli: Cli,
    photos: Path,
    tmp_path: Path,
    any_bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = upload(photos, f"{any_bucket}/photos")
    read, changed = objects.read, iter([True])

    def read_late(asked: str, start: int = 0, count: int | None = None) -> Read:
        if asked == f"{url}/dog/000.jpg" and next(changed, False):
            objects.put(asked, read(f"{url}/dog/002.jpg").data)
        return read(asked, start, count)

    monkeypatch.setattr(objects, "read", read_late)
    end = cli("cutout", url, "--patch", 8, "--out", tmp_path / "out")
    assert end.code == 1
    (row,) = rows(tmp_path / "out", "errors.csv")
    assert (row["source"], row["stage"]) == ("dog/000.jpg", "read")
    assert "changed during the run" in row["reason"]


def test_an_output_inside_input_is_no_source(
    cli: Cli, photos: Path, tmp_path: Path, any_bucket: str
) -> None:
    url = upload(photos, f"{any_bucket}/photos")
    assert cli("cutout", photos, "--patch", 8, "--out", tmp_path / "out").code == 0
    upload(tmp_path / "out", f"{url}/earlier")
    found = json.loads(cli("inspect", url, "--json").out)
    assert found["images"] == 9
    assert found["skipped"] == {"folder (an output of augcli)": 1}


@pytest.mark.parametrize("name", ["cat/../dog/a.jpg", "/etc/a.jpg", "cat//a.jpg", "./a.jpg"])
def test_names_that_are_no_paths_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [Entry(name, 1, 1), Entry("cat/a.jpg", 1, 1)]
    monkeypatch.setattr("augcli.data.stores.object_walk.entries", lambda _: iter(listed))
    sources = Sources("s3://photos")
    assert list(ObjectWalk("s3://photos", "", sources).files()) == [("cat/a.jpg", 1, 1)]
    assert [path for path, _ in sources.refused] == [name]


def test_what_is_wrong_with_an_url_is_one_sentence(cli: Cli, bucket: str) -> None:
    for place, problem in (
        (f"{bucket}/none", "does not exist"),
        ("s3://augcli-has-no-such-bucket/a", "there is no bucket of this name"),
        (f"{bucket}/a.jpg::{bucket}/b", "can't be chained"),
        ("http://example.org/a.tar", "is no URL that augcli takes"),
        ("https://example.org/photos", "a web server lists no folders"),
        (f"s3://me:{SECRET}@photos/a", "credentials are read from the environment"),
    ):
        end = cli("inspect", place)
        assert end.code == 2, place
        assert problem in end.err
        assert len(end.err.splitlines()) == 1
        assert SECRET not in end.err


def test_no_secret_is_recorded_or_printed(
    photos: Path, tmp_path: Path, bucket: str, proxy: Proxy
) -> None:
    url = upload(photos, f"{bucket}/photos")
    out = tmp_path / "out"
    proxy.faults.on("GET", "cut", times=3)
    end = call("cutmix", url, "--out", out, "--workers", 2, "--json", "--debug")
    assert end.code == 0, end.err
    broken = call("cutmix", f"{bucket}-none/cat", "--out", tmp_path / "broken", "--debug")
    assert broken.code == 2
    for text in (end.out, end.err, broken.out, broken.err):
        assert SECRET not in text
    for data in tree(out).values():
        assert SECRET.encode() not in data
    assert SECRET not in (out / "run.json").read_text()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server with TLS: its URL, and the folder whose files it has."""
    pytest.importorskip("aiohttp", reason="needs the test extra")
    certificate = _certificate(tmp_path / "certificate.pem")
    folder = tmp_path / "web"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files in ranges, to who knows the query."""

    def send_head(self) -> io.BytesIO | None:
        if not self.path.endswith(f"?key={SECRET}"):
            self.send_error(403)
            return None
        file = Path(self.translate_path(self.path))
        if not file.is_file():
            self.send_error(404)
            return None
        data = file.read_bytes()
        start, _, end = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        piece = data[int(start) : int(end) + 1 if end else len(data)]
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", str(len(piece)))
        self.send_header(
            "Content-Range", f"bytes {start}-{int(start) + len(piece) - 1}/{len(data)}"
        )
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{hash(data)}"')
        self.end_headers()
        return io.BytesIO(piece)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _certificate(path: Path) -> Path:
    from datetime import UTC, datetime, timedelta
    from ipaddress import IPv4Address

    x509 = pytest.importorskip("cryptography.x509", reason="needs the test extra")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "augcli")])
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(pem, *form) + signed.public_bytes(pem))
    return path


def test_a_web_server_gives_archives_tables_and_scorers(
    web: tuple[str, Path], tmp_path: Path, scorer: Path
) -> None:
    address, folder = web
    source = shards(folder / "tars", "a-0.tar", "a-1.tar")
    shutil.copy(scorer, folder / "scorer.onnx")
    secret = f"?key={SECRET}"
    trusted = environment(SSL_CERT_FILE=str(tmp_path / "certificate.pem"))
    for name, place, model in (
        ("there", f"{address}/tars/a-{{0..1}}.tar{secret}", f"{address}/scorer.onnx{secret}"),
        ("here", source, scorer),
    ):
        arguments = ("cutmix", place, "--model", model, "--out", tmp_path / name, "--workers", 2)
        end = call(*arguments, env=trusted)
        assert end.code == 0, end.err
        assert SECRET not in end.err + end.out
    assert outputs(tmp_path / "there") == outputs(tmp_path / "here")
    for data in (*tree(tmp_path / "there").values(), (tmp_path / "there/run.json").read_bytes()):
        assert SECRET.encode() not in data
    refused = call("inspect", f"{address}/tars/a-0.tar?key=WRONG", env=trusted)
    assert refused.code == 2
    assert "access is denied" in refused.err
    assert "WRONG" not in refused.err


def test_an_url_in_a_table_stays_a_name(cli: Cli, tmp_path: Path, any_bucket: str) -> None:
    url = upload(class_folders(tmp_path / "photos", {"cat": 2}), f"{any_bucket}/photos")
    table = tmp_path / "labels.csv"
    table.write_text("file_name,label\ns3://others/cat/000.jpg,dog\n")
    end = cli("cutout", url, "--labels", table, "--out", tmp_path / "out")
    assert end.code == 2
    assert "s3://others/cat/000.jpg" in end.err


def test_names_have_any_character(cli: Cli, tmp_path: Path, any_bucket: str) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 1, "größe 1": 1})
    names = ("a b+c.jpg", "100%25 #1.jpg", "what?.jpg", "a&b='c'.jpg", "ü:s3:x.jpg")
    for name in names:
        shutil.copy2(photos / "cat/000.jpg", photos / "cat" / name)
    url = upload(photos, f"{any_bucket}/photos")
    for name, place in (("there", url), ("here", photos)):
        end = cli("cutmix", place, "--out", tmp_path / name)
        assert end.code == 0, end.err
    assert outputs(tmp_path / "there") == outputs(tmp_path / "here")
    assert {row["source_a"] for row in rows(tmp_path / "there")} >= {f"cat/{one}" for one in names}
