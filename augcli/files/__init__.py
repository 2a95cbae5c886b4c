"""Files: the one place that opens, reads, publishes and removes them.

Only regular files are read, and never waited for: a pipe or a device in the place of a file is
an error. No file ever has its final name before all of its bytes are there.
"""

from augcli.files.descriptors import LinkInside, is_inside
from augcli.files.draft import Draft
from augcli.files.folder import Folder, Fsync
from augcli.files.locking import try_lock
from augcli.files.owners import HOST, owner_is_gone, owner_token
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
    Pieces,
    file_sha256,
    modified_at,
    open_file,
    open_null,
    open_table,
    parse_json,
    read_checked,
    read_file,
    read_given,
    read_json,
    read_standard_input,
)
from augcli.files.spool import Spool, SpoolFull
from augcli.files.text import TOML_LIMIT, decode_text, parse_toml
from augcli.files.unpacking import NotUnpacked, compression, unpacked

__all__ = [
    "HEAD_BYTES",
    "HOST",
    "JSON_LIMIT",
    "MODEL_LIMIT",
    "TABLE_LIMIT",
    "TOML_LIMIT",
    "Content",
    "Draft",
    "Folder",
    "Fsync",
    "LinkInside",
    "NotUnpacked",
    "Pieces",
    "Spool",
    "SpoolFull",
    "compression",
    "create_file",
    "decode_text",
    "file_sha256",
    "is_inside",
    "modified_at",
    "open_file",
    "open_null",
    "open_table",
    "owner_is_gone",
    "owner_token",
    "parse_json",
    "parse_toml",
    "publish_file",
    "read_checked",
    "read_file",
    "read_given",
    "read_json",
    "read_standard_input",
    "remove_file",
    "replacing",
    "try_lock",
    "unfinished_name",
    "unpacked",
    "write_file",
]
