"""S3 of Amazon, and services that speak as it does.

Two packages do it. s3fs finds the credentials, lists and removes. obstore reads and writes objects,
which is done for each image: its requests are made outside of Python and take a sixth of the
processor's time. It can't list, because it refuses a listing in which one key is no plain path.
"""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from augcli.files.remote.failures import Answered
from augcli.files.remote.services import PAGE, Entry, Page, Read, at_the_end, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from obstore import GetOptions
    from obstore.store import S3Config, S3Credential

CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60
REQUEST_SECONDS: Final = 600
CONNECTIONS: Final = 64
"""Connections of a process at a time."""
PART: Final = 16 << 20
"""Bytes of the parts in which a larger object is put."""
PARTS_AT_ONCE: Final = 4
PART_TRIES: Final = 8
CREDENTIAL_MINUTES: Final = 5
"""After which credentials are asked for again; those that expire are renewed by then."""
_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w+)</Code>")


def amazon_service() -> AmazonService:
    """Return the service, with the credentials and the endpoint that the environment names."""
    import fsspec  # noqa: PLC0415 - an extra, which only URLs need

    timeouts = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
    # Requests are tried again in one place, for all services: augcli.files.remote.objects.
    once = {"max_pool_connections": CONNECTIONS, "retries": {"total_max_attempts": 1}}
    options = {"use_listings_cache": False, "config_kwargs": {**timeouts, **once}}
    system, uploads = (
        fsspec.filesystem("s3", skip_instance_cache=True, **options) for _ in range(2)
    )
    system.retries, uploads.retries = 1, PART_TRIES
    return AmazonService(system, uploads)


class AmazonService:
    """S3 of Amazon, and services that speak as it does.

    An answer says the version of what was read, so a changed object is noticed without another
    request. Listings are read page by page: fsspec keeps whole ones in memory.

    Args:
        system: The file system of s3fs.
        uploads: Another one, which tries each part of a large object again.
    """

    def __init__(self, system: Any, uploads: Any) -> None:
        self._system = system
        self._uploads = uploads
        self._stores: dict[str, Any] = {}
        self._opening = threading.Lock()

    def read(self, key: str, start: int = 0, count: int | None = None) -> Read:
        """Return bytes of an object."""
        import obstore  # noqa: PLC0415 - an extra, which only URLs need

        bucket, _, name = key.partition("/")
        wanted: GetOptions = {} if count is None else {"range": (start, start + count)}
        store = self._store(bucket)
        try:
            answer = obstore.get(store, name, options=wanted)
            meta = answer.meta
            return Read(bytes(answer.bytes()), meta["size"], version_of(meta["e_tag"]))
        except Exception as error:
            return at_the_end(self, key, start, _answered(error))

    def entry(self, key: str) -> Entry | None:
        """Return what is known of an object; None where there is none."""
        bucket, _, name = key.partition("/")
        try:
            answer = self._system.call_s3("head_object", Bucket=bucket, Key=name)
        except FileNotFoundError:
            return None
        return Entry(key, answer["ContentLength"], version_of(answer["ETag"]))

    def modified(self, key: str) -> float | None:
        """Return when an object was written, in seconds; None where there is none."""
        bucket, _, name = key.partition("/")
        try:
            answer = self._system.call_s3("head_object", Bucket=bucket, Key=name)
        except FileNotFoundError:
            return None
        return float(answer["LastModified"].timestamp())

    def page(self, folder: str, following: Any = None, *, deep: bool = True) -> Page:
        """Return some of the objects below a folder."""
        bucket, _, prefix = folder.partition("/")
        wanted: dict[str, Any] = {"Bucket": bucket, "MaxKeys": PAGE}
        if prefix:
            wanted["Prefix"] = f"{prefix}/"
        if not deep:
            wanted["Delimiter"] = "/"
        if following:
            wanted["ContinuationToken"] = following
        answer = self._system.call_s3("list_objects_v2", **wanted)
        found = [
            Entry(f"{bucket}/{one['Key']}", one["Size"], version_of(one["ETag"]))
            for one in answer.get("Contents", ())
        ]
        below = [f"{bucket}/{one['Prefix']}"[:-1] for one in answer.get("CommonPrefixes", ())]
        return Page(found, below, answer.get("NextContinuationToken"))

    def put(self, key: str, data: bytes, *, is_new: bool = False) -> None:
        """Write an object by one request."""
        import obstore  # noqa: PLC0415

        bucket, _, name = key.partition("/")
        mode: Literal["create", "overwrite"] = "create" if is_new else "overwrite"
        try:
            obstore.put(self._store(bucket), name, data, mode=mode, use_multipart=False)
        except Exception as error:
            raise _answered(error) from None

    def put_file(self, key: str, path: str) -> None:
        """Write an object from a file, a large one in parts that the service puts together."""
        self._uploads.put_file(path, key, chunksize=PART, max_concurrency=PARTS_AT_ONCE)

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects."""
        bucket = keys[0].partition("/")[0]
        names = [{"Key": key.partition("/")[2]} for key in keys]
        self._system.call_s3(
            "delete_objects", Bucket=bucket, Delete={"Objects": names, "Quiet": True}
        )

    def _store(self, bucket: str) -> Any:
        """Return what reads and writes the objects of a bucket."""
        from fsspec.asyn import sync  # noqa: PLC0415

        with self._opening:
            if bucket not in self._stores:
                place, credentials = sync(self._system.loop, self._access, bucket)
                self._stores[bucket] = _open_store(bucket, place, credentials)
            return self._stores[bucket]

    async def _access(self, bucket: str) -> tuple[_Place, Callable[[], S3Credential] | None]:
        """Return where a bucket is reached, and what gives the credentials for it."""
        from botocore.exceptions import ClientError, NoCredentialsError  # noqa: PLC0415

        client = await self._system.set_session()
        place = _Place(client.meta.endpoint_url, client.meta.region_name or "us-east-1")
        if place.is_amazon:
            try:
                answer = await client.head_bucket(Bucket=bucket)
            except ClientError as error:
                answer = error.response  # also a refusal names the region
            region = answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
            place = place._replace(region=region or place.region)
        if self._system.anon:
            return place, None
        credentials = await self._system.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        loop = self._system.loop

        def current() -> S3Credential:
            from fsspec.asyn import sync  # noqa: PLC0415

            frozen = sync(loop, credentials.get_frozen_credentials)
            return {
                "access_key_id": frozen.access_key,
                "secret_access_key": frozen.secret_key,
                "token": frozen.token,
                "expires_at": datetime.now(UTC) + timedelta(minutes=CREDENTIAL_MINUTES),
            }

        return place, current


class _Place(NamedTuple):
    """Where a bucket is reached.

    Attributes:
        endpoint: URL of the service.
        region: Of the bucket.
    """

    endpoint: str
    region: str

    @property
    def is_amazon(self) -> bool:
        """Whether it is Amazon's own service, which has an endpoint for each region."""
        return (urlsplit(self.endpoint).hostname or "").endswith(".amazonaws.com")


def _open_store(bucket: str, place: _Place, credentials: Callable[[], S3Credential] | None) -> Any:
    from obstore.store import S3Store  # noqa: PLC0415

    config: S3Config = {"bucket": bucket, "region": place.region}
    if not place.is_amazon:
        config["endpoint"] = place.endpoint
    if credentials is None:
        config["skip_signature"] = True
    return S3Store(
        config=config,
        credential_provider=credentials,
        client_options={
            "allow_http": True,
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "read_timeout": timedelta(seconds=READ_SECONDS),
            "timeout": timedelta(seconds=REQUEST_SECONDS),
        },
        # They are made in one place, for all services: augcli.files.remote.objects.
        retry_config={"max_retries": 0},
    )


def _answered(error: Exception) -> Exception:
    """Return what the service answered, by what the words of obstore's error say."""
    status, code = _STATUS.search(str(error)), _CODE.search(str(error))
    if status:
        return Answered(int(status[1]), code[1] if code else "")
    return ConnectionError() if "HTTP error" in str(error) else error
