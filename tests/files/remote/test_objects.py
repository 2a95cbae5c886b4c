"""Objects: the same answers from every service, and no request given up too early."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import TYPE_CHECKING

import pytest

from augcli.errors import UsageError
from augcli.files import open_file, open_pieces, read_checked, read_file
from augcli.files.remote import objects, services
from augcli.files.remote.amazon import AmazonService
from augcli.files.remote.services import version_of
from tests.buckets import SECRET, forget_services

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Proxy

LARGE = bytes(range(256)) * 12_000  # 3 MB


def test_objects_are_put_read_listed_and_removed(every_bucket: str) -> None:
    names = {f"set/{letter}/{number}.jpg": b"%d" % number for letter in "abc" for number in (1, 2)}
    for name, data in names.items():
        objects.put(f"{every_bucket}/{name}", data)
    objects.put(f"{every_bucket}/setting.txt", b"not below the folder set")
    entries = list(objects.entries(f"{every_bucket}/set"))
    assert {entry.key for entry in entries} == {name.removeprefix("set/") for name in names}
    for entry in entries:
        url = f"{every_bucket}/set/{entry.key}"
        found = objects.read(url)
        assert found.data == names[f"set/{entry.key}"]
        assert objects.entry(url) == (url.partition("://")[2], entry.size, entry.version)
        assert (found.size, found.version) == (entry.size, entry.version)
    objects.remove([f"{every_bucket}/{name}" for name in names])
    assert not objects.holds_objects(f"{every_bucket}/set")
    objects.remove([f"{every_bucket}/set/a/1.jpg"])


def test_a_listing_of_several_pages_is_whole(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PAGE", 3)
    for number in range(11):
        objects.put(f"{bucket}/{number}", b"")
    assert len(set(objects.entries(bucket))) == 11


def test_only_one_of_two_puts_a_new_object(every_bucket: str) -> None:
    assert objects.put_new(f"{every_bucket}/lock", b"one")
    assert not objects.put_new(f"{every_bucket}/lock", b"two")
    assert objects.read(f"{every_bucket}/lock").data == b"one"


def test_an_object_is_read_as_a_file_is(every_bucket: str) -> None:
    url = f"{every_bucket}/large"
    objects.put(url, LARGE)
    assert read_file(url).data == LARGE
    assert read_file(url, len(LARGE)).data == LARGE
    with pytest.raises(OSError, match="bytes, more than 1,000"):
        read_file(url, 1000)
    with open_file(url) as file:
        file.seek(5)
        assert file.read(3) == LARGE[5:8]
        file.seek(-2, 2)
        assert file.read() == LARGE[-2:]
        file.seek(0)
        assert file.read() == LARGE
    pieces = pickle.loads(pickle.dumps(open_pieces(url)))
    places = [(0, 1), (1, 512), (513, 2_000_000), (7, 7), (len(LARGE) - 1, 1), (9, 0)]
    for start, count in places:
        assert pieces.read(start, count) == LARGE[start : start + count]
    with pytest.raises(EOFError, match="2 bytes too early"):
        pieces.read(len(LARGE) - 1, 3)
    with pytest.raises(EOFError):
        pieces.read(len(LARGE) + 10, 1)


def test_an_object_without_bytes_is_read(every_bucket: str) -> None:
    objects.put(f"{every_bucket}/empty", b"")
    assert read_file(f"{every_bucket}/empty", 10).data == b""
    with open_file(f"{every_bucket}/empty") as file:
        assert file.read() == b""


def test_a_changed_object_has_another_version(every_bucket: str) -> None:
    url = f"{every_bucket}/a.jpg"
    objects.put(url, b"one")
    pieces = open_pieces(url)
    before = read_checked(url, 10, lambda *_: None)
    objects.put(url, b"two")
    after = read_checked(url, 10, lambda *_: None)
    assert before.size == after.size
    assert before.modified != after.modified
    pieces.read(0, 3)
    assert pieces.status() == (3, after.modified)


def test_what_is_missing_is_said(every_bucket: str) -> None:
    for request in (objects.read, open_file, open_pieces, read_file):
        with pytest.raises(FileNotFoundError, match="there is no object of this name"):
            request(f"{every_bucket}/missing")
    assert objects.entry(f"{every_bucket}/missing") is None
    assert list(objects.entries(f"{every_bucket}/missing")) == []


def test_a_missing_bucket_is_said(every_bucket: str) -> None:
    scheme = every_bucket.partition("://")[0]
    if scheme == "memory":
        pytest.skip("there are no buckets in memory")
    bucket = f"{scheme}://no-such-bucket"
    with pytest.raises(FileNotFoundError, match="there is no bucket of this name"):
        list(objects.entries(bucket))
    with pytest.raises(FileNotFoundError, match="there is no bucket of this name"):
        objects.put(f"{bucket}/a", b"a")


@pytest.mark.parametrize("fault", ["busy", "drop", "cut"])
def test_requests_are_made_again_until_one_comes_through(
    bucket: str, proxy: Proxy, fault: str
) -> None:
    objects.put(f"{bucket}/a", LARGE)
    proxy.faults.on("GET", fault, times=objects.TRIES - 1)
    assert objects.read(f"{bucket}/a").data == LARGE
    proxy.faults.on("GET", fault, times=objects.TRIES - 1)
    assert [entry.key for entry in objects.entries(bucket)] == ["a"]
    if fault != "cut":
        proxy.faults.on("PUT", fault, times=objects.TRIES - 1)
        objects.put(f"{bucket}/b", LARGE)
        proxy.faults.on("PUT", fault, times=objects.TRIES - 1)
        assert objects.put_new(f"{bucket}/lock", b"mine"), "the first try came through"
        proxy.faults.on("PUT", fault, times=objects.TRIES - 1)
        assert not objects.put_new(f"{bucket}/lock", b"yours")


def test_a_large_object_is_put_in_parts(bucket: str, proxy: Proxy, tmp_path: Path) -> None:
    path = tmp_path / "large.tar"
    path.write_bytes(LARGE * 12)
    proxy.faults.on("PUT", "busy", times=2)
    objects.put_file(f"{bucket}/large.tar", str(path))
    assert proxy.faults.requests["POST"] == 2, "one begins the upload, and one ends it"
    assert objects.read(f"{bucket}/large.tar").data == path.read_bytes()
    # A larger one never lies there in part.
    services.service("s3")._uploads.retries = 2  # type: ignore[attr-defined]
    proxy.faults.on("PUT", "busy", times=1000)
    path.write_bytes(LARGE * 13)
    with pytest.raises(TimeoutError):
        objects.put_file(f"{bucket}/large.tar", str(path))
    proxy.faults.on("PUT", "")
    assert objects.read(f"{bucket}/large.tar").data == LARGE * 12


def test_a_storm_ends_the_request_with_a_clear_error(bucket: str, proxy: Proxy) -> None:
    proxy.faults.on("GET", "busy", times=objects.TRIES)
    with pytest.raises(TimeoutError, match="the service answers 503, also after several tries"):
        objects.read(f"{bucket}/a")
    assert proxy.faults.requests["GET"] == objects.TRIES


def test_a_service_that_is_away_is_said(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    del proxy
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    forget_services()
    with pytest.raises(TimeoutError, match="the service can't be reached"):
        objects.read("s3://photos/a")


def test_refused_credentials_are_said(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    del proxy
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    forget_services()
    with pytest.raises(PermissionError, match="there are no credentials; set AWS_ACCESS_KEY_ID"):
        objects.read("s3://photos/a")


class _Refusing:
    """A service that refuses as Amazon does, and names the secret in its answer."""

    def read(self, *_: object) -> None:
        error = PermissionError(f"The key {SECRET} is wrong")
        response = {
            "Error": {"Code": "InvalidAccessKeyId", "Message": SECRET},
            "ResponseMetadata": {"HTTPStatusCode": 403},
        }
        error.__cause__ = type("ClientError", (Exception,), {"response": response})()
        raise error


def test_an_error_has_no_text_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "service", lambda _: _Refusing())
    with pytest.raises(PermissionError) as error:
        objects.read("s3://photos/a")
    assert error.value.strerror == (
        "access is denied (InvalidAccessKeyId); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "or AWS_PROFILE"
    )
    assert SECRET not in repr(error.value)


def test_a_missing_package_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    services.opened.cache_clear()
    monkeypatch.setattr(
        services, "_PACKAGES", {"s3": ("augcli_has_no_such_package", "augcli[remote]")}
    )
    with pytest.raises(UsageError, match=r"pip install 'augcli\[remote\]'"):
        objects.read("s3://photos/a")


def test_versions_are_whole_numbers_of_63_bits() -> None:
    versions = {version_of(f'"{number:032x}"') for number in range(1000)}
    assert len(versions) == 1000
    assert all(0 <= version < 2**63 for version in versions)
    assert version_of('"abc"') == version_of("abc")


def test_a_service_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    services.opened.cache_clear()
    found: set[int] = set()
    begin = threading.Barrier(8)

    def ask() -> None:
        begin.wait()
        found.add(id(services.service("memory")))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1


class _Client:
    """A client of Amazon's own service, whose bucket lies in another region and is refused."""

    class meta:  # noqa: N801
        endpoint_url = "https://s3.amazonaws.com"
        region_name = "us-east-1"

    async def head_bucket(self, **_: object) -> None:
        from botocore.exceptions import ClientError

        headers = {"x-amz-bucket-region": "eu-west-1"}
        raise ClientError({"ResponseMetadata": {"HTTPHeaders": headers}}, "HeadBucket")


def test_a_bucket_is_reached_in_its_own_region(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    del proxy
    service = services.service("s3")
    assert isinstance(service, AmazonService)
    service._system.connect()

    async def session() -> _Client:
        return _Client()

    monkeypatch.setattr(service._system, "set_session", session)
    place, credentials = asyncio.run(service._access("photos"))
    assert place.region == "eu-west-1"
    assert place.is_amazon
    assert credentials
    assert not place._replace(endpoint="https://minio.example.org").is_amazon
