"""What went wrong at a service, as the error that the same thing is for a file.

The text of a library's error is never passed on: it may hold a URL with a password in it.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

TOO_MANY: Final = 429
NO_RANGE: Final = 416
"""The status of an answer to a request for bytes that an object does not have."""
NO_BUCKET: Final = "NoSuchBucket"
NO_OBJECT: Final = "there is no object of this name"
_TRANSIENT: Final = frozenset({408, TOO_MANY, 500, 502, 503, 504})
_CONNECTION: Final = frozenset(
    # Of botocore, aiohttp, requests and Azure; their packages may not be installed.
    {"HTTPClientError", "ClientConnectionError", "ClientPayloadError", "IncompleteRead"}
    | {"IncompleteReadError", "FSTimeoutError", "ResponseParserError", "ServiceRequestError"}
    | {"ServiceResponseError", "TransportError", "ConnectionError", "Timeout"}
)
_CREDENTIALS: Final = frozenset(
    {"NoCredentials", "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}
    | {"ProfileNotFound", "TokenRetrievalError", "DefaultCredentialsError", "RefreshError"}
    | {"ClientAuthenticationError"}
)
_REFUSED: Final = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}
    | {"InvalidToken", "AllAccessDisabled", "AccountProblem", "InvalidSecurity", "Forbidden"}
)
CREDENTIALS: Final = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    "https": "give the URL with a valid user and password, or a valid signature",
}
"""What gives credentials, by scheme."""


class Answered(Exception):
    """A service answered that it does not do what was asked for.

    Args:
        status: Of HTTP.
        code: The service's own word for it; empty where it has none.
    """

    def __init__(self, status: int, code: str = "") -> None:
        super().__init__(status, code)
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class NoCredentials(Exception):
    """The environment names no credentials for a service."""


def is_transient(error: BaseException) -> bool:
    """Return whether the same request may succeed a little later."""
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    if _code(error) in ("SlowDown", "RequestTimeout") or status_of(error) in _TRANSIENT:
        return True
    # An answer that was cut off may have the status of a wrong request.
    return not _response(error) and not _CONNECTION.isdisjoint(_class_names(error))


def is_missing(error: FileNotFoundError) -> bool:
    """Return whether nothing is there; fsspec says so too where a web server refuses."""
    return status_of(error) in (None, 404, 410)


def failure(error: BaseException, scheme: str) -> OSError:  # noqa: PLR0911 - one for each cause
    """Return the error that the same thing is for a file.

    Args:
        error: What a library raised.
        scheme: Of the URL.

    Example:
        >>> failure(FileNotFoundError("s3://photos/a.jpg?secret"), "s3")
        FileNotFoundError(2, 'there is no object of this name')
    """
    status, code = status_of(error), _code(error)
    how = f"; {CREDENTIALS[scheme]}" if scheme in CREDENTIALS else ""
    if not _CREDENTIALS.isdisjoint(_class_names(error)) and status not in (401, 403):
        return PermissionError(errno.EACCES, f"there are no credentials{how}")
    if isinstance(error, PermissionError) or status in (401, 403) or code in _REFUSED:
        named = f" ({code})" if code and not code.isdigit() else ""
        return PermissionError(errno.EACCES, f"access is denied{named}{how}")
    if code == NO_BUCKET:
        return FileNotFoundError(errno.ENOENT, "there is no bucket of this name")
    if isinstance(error, FileNotFoundError) or status in (404, 410):
        return FileNotFoundError(errno.ENOENT, NO_OBJECT)
    if is_transient(error):
        is_answer = status in _TRANSIENT
        what = f"the service answers {status}" if is_answer else "the service can't be reached"
        return TimeoutError(errno.ETIMEDOUT, f"{what}, also after several tries")
    if isinstance(error, FileExistsError) or status == 412:
        return FileExistsError(errno.EEXIST, "there is an object of this name")
    if isinstance(error, OSError) and code == "KeyTooLongError":
        return OSError(errno.ENAMETOOLONG, "the name is too long for an object")
    what = code or (f"the service answers {status}" if status else type(error).__name__)
    return OSError(errno.EIO, what)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        seen.append(following)
        yield following
        following = following.__cause__ or following.__context__


def _class_names(error: BaseException) -> set[str]:
    return {one.__name__ for cause in _chain(error) for one in type(cause).__mro__}


def _response(error: BaseException) -> dict[str, Any]:
    """Return what a service of Amazon's kind answered; empty for others."""
    for cause in _chain(error):
        response = getattr(cause, "response", None)
        if isinstance(response, dict):
            return response
    return {}


def _code(error: BaseException) -> str:
    code = _response(error).get("Error", {}).get("Code", "")
    return code if isinstance(code, str) else ""


def status_of(error: BaseException) -> int | None:
    """Return the status of HTTP that an error comes from; None where there is none."""
    status = _response(error).get("ResponseMetadata", {}).get("HTTPStatusCode")
    if isinstance(status, int):
        return status
    for cause in _chain(error):
        for name in ("status", "status_code", "code"):
            value = getattr(cause, name, None)
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return None
