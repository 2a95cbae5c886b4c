"""Files: the one place that opens, reads, publishes and removes them.

Only regular files are read, and never waited for: a pipe or a device in the place of a file is
an error. No file ever has its final name before all of its bytes are there.
"""

from augcli.files.descriptors import LinkInside, is_inside
from augcli.files.draft import Draft
from augcli.files.folder import Folder, Fsync
from augcli.files.output_files import Lock, OutputFiles
from augcli.files.owners import GONE_AFTER, HOST, RENEWED_EVERY, owner_is_gone, owner_token
from augcli.files.pieces import Pieces, open_pieces
from augcli.files.places import (
    Kind,
    folders_above,
    is_file,
    kind_of,
    real_place,
    size_and_change,
    whole_place,
)
from augcli.files.publishing import (
    create_file,
    publish_file,
    remove_file,
    replacing,
    unfinished_name,
    write_file,
)
from augcli.files.reading import (
    HEAD_BYTES,
    JSON_LIMIT,
    MODEL_LIMIT,
    TABLE_LIMIT,
    Content,
    file_sha256,
    modified_at,
    open_file,
    open_null,
    open_status,
    open_table,
    parse_json,
    read_checked,
    read_file,
    read_given,
    read_json,
    read_standard_input,
)
from augcli.files.remote.objects import entries
from augcli.files.remote.services import Entry
from augcli.files.remote.url import Place, Url, is_bucket, is_url, place_of, shown
from augcli.files.spool import Spool, SpoolFull, local_copy
from augcli.files.text import TOML_LIMIT, decode_text, parse_toml
from augcli.files.unpacking import NotUnpacked, compression, unpacked

__all__ = [
    "GONE_AFTER",
    "HEAD_BYTES",
    "HOST",
    "JSON_LIMIT",
    "MODEL_LIMIT",
    "RENEWED_EVERY",
    "TABLE_LIMIT",
    "TOML_LIMIT",
    "Content",
    "Draft",
    "Entry",
    "Folder",
    "Fsync",
    "Kind",
    "LinkInside",
    "Lock",
    "NotUnpacked",
    "OutputFiles",
    "Pieces",
    "Place",
    "Spool",
    "SpoolFull",
    "Url",
    "compression",
    "create_file",
    "decode_text",
    "entries",
    "file_sha256",
    "folders_above",
    "is_bucket",
    "is_file",
    "is_inside",
    "is_url",
    "kind_of",
    "local_copy",
    "modified_at",
    "open_file",
    "open_null",
    "open_pieces",
    "open_status",
    "open_table",
    "owner_is_gone",
    "owner_token",
    "parse_json",
    "parse_toml",
    "place_of",
    "publish_file",
    "read_checked",
    "read_file",
    "read_given",
    "read_json",
    "read_standard_input",
    "real_place",
    "remove_file",
    "replacing",
    "shown",
    "size_and_change",
    "unfinished_name",
    "unpacked",
    "whole_place",
    "write_file",
]
