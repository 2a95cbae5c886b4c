"""Pictures of odd and hostile content: each is used, or a row of errors.csv, and harms no other."""

# ruff: noqa: E501 - one line is one case

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from tests.guarantees.attacks.registry import each
from tests.photos import picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guarantees.attacks.arena import Arena

LIMIT = 1_200_000
"""Kilobytes of addresses that a run over such pictures gets."""


def _saved(kind: str, image: Any = None, **options: Any) -> bytes:
    file = io.BytesIO()
    (image or Pillow.fromarray(picture(3, 40, 48))).save(file, kind, **options)
    return file.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(*chunks: bytes, head: bytes = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)) -> bytes:
    pixels = _chunk(b"IDAT", zlib.compress(bytes(4 * 13)))
    start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head)
    return start + b"".join(chunks) + pixels + _chunk(b"IEND", b"")


def _segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def _jpeg_with(marker: int, data: bytes) -> bytes:
    whole = _saved("JPEG", quality=90)
    return whole[:2] + _segment(marker, data) + whole[2:]


def _jpeg_frame(marker: int, change: Callable[[bytes], bytes] = lambda data: data) -> bytes:
    """Return a JPEG whose start of frame is another one."""
    whole = _saved("JPEG", quality=90)
    at = whole.index(b"\xff\xc0")
    size = struct.unpack(">H", whole[at + 2 : at + 4])[0]
    body = change(whole[at + 4 : at + 2 + size])
    return whole[:at] + _segment(marker, body) + whole[at + 2 + size :]


def _tiff(*tags: tuple[int, int, int, int], following: int = 0) -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags))
    return head + entries + struct.pack("<I", following) + bytes(3000)


def _bmp(width: int, height: int, bits: int = 24, compression: int = 0, data: int = 3000) -> bytes:
    body = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + data, 0, 0, 54) + body + bytes(data)


def _animation(kind: str, frames: int) -> bytes:
    images = [Pillow.fromarray(picture(seed, 20, 24)) for seed in range(frames)]
    return _saved(kind, images[0], save_all=True, append_images=images[1:], duration=10)


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "hello")
    return file.getvalue()


def _exif(orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    return _saved("JPEG", exif=exif.tobytes(), quality=90)


def _text_chunks(count: int) -> bytes:
    info = PngInfo()
    for number in range(count):
        info.add_text(f"key{number}", "value", zip=True)
    return _saved("PNG", pnginfo=info)


def _gif(blocks: bytes) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", 20, 20, 0x80, 0, 0) + bytes(6) + blocks + b";"


def _heic() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + struct.pack(">I", 2**31) + b"meta" + bytes(64)


def _lines(width: int, height: int) -> bytes:
    return _saved("PNG", Pillow.fromarray(np.zeros((height, width, 3), np.uint8)))


PICTURES: dict[str, Callable[[], bytes]] = {
    "jpg_and_zip": lambda: _saved("JPEG") + _zip(),
    "zip_as_jpg": _zip,
    "jpg_and_html": lambda: _jpeg_with(0xFE, b"<script>alert(1)</script>"),
    "png_and_jpg": lambda: _saved("PNG") + _saved("JPEG"),
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd)(r)file",
    "apng": lambda: _animation("PNG", 5),
    "apng_without_frames": lambda: _png(_chunk(b"acTL", struct.pack(">II", 2**31, 0))),
    "png_16_bit": lambda: _saved("PNG", Pillow.fromarray(np.full((30, 30), 40_000, np.uint16))),
    "png_1_bit": lambda: _saved("PNG", Pillow.new("1", (33, 31), 1)),
    "png_palette_alpha": lambda: _saved("PNG", Pillow.new("P", (33, 31), 1), transparency=1),
    "png_no_palette": lambda: _png(head=struct.pack(">IIBBBBB", 4, 4, 8, 3, 0, 0, 0)),
    "png_zero_width": lambda: _png(head=struct.pack(">IIBBBBB", 0, 4, 8, 2, 0, 0, 0)),
    "png_negative": lambda: _png(head=struct.pack(">IIBBBBB", 2**31, 2**31, 8, 2, 0, 0, 0)),
    "png_depth_3": lambda: _png(head=struct.pack(">IIBBBBB", 4, 4, 3, 2, 0, 0, 0)),
    "png_interlace_9": lambda: _png(head=struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 9)),
    "png_two_heads": lambda: _png(_chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0))),
    "png_text_bomb": lambda: _png(_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 28), 9))),
    "png_profile_bomb": lambda: _png(_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1 << 28), 9))),
    "png_many_texts": lambda: _text_chunks(2000),
    "png_bomb": lambda: _lines(9000, 9000),
    "jpg_arithmetic": lambda: _jpeg_frame(0xC9),
    "jpg_lossless": lambda: _jpeg_frame(0xC3),
    "jpg_hierarchical": lambda: _jpeg_frame(0xC5),
    "jpg_12_bit": lambda: _jpeg_frame(0xC1, lambda body: b"\x0c" + body[1:]),
    "jpg_zero_width": lambda: _jpeg_frame(0xC0, lambda body: body[:3] + b"\0\0" + body[5:]),
    "jpg_zero_height": lambda: _jpeg_frame(0xC0, lambda body: body[:1] + b"\0\0" + body[3:]),
    "jpg_huge_height": lambda: _jpeg_frame(0xC0, lambda body: body[:1] + b"\xff\xff" + body[3:]),
    "jpg_five_parts": lambda: _jpeg_frame(0xC0, lambda body: body[:5] + b"\5" + body[6:] + bytes(6)),
    "jpg_no_parts": lambda: _jpeg_frame(0xC0, lambda body: body[:5] + b"\0"),
    "jpg_cmyk": lambda: _saved("JPEG", Pillow.new("CMYK", (30, 30), (9, 99, 199, 50))),
    "jpg_adobe": lambda: _jpeg_with(0xEE, b"Adobe\0\x64\0\0\0\0\7"),
    "jpg_two_adobe": lambda: _jpeg_with(0xEE, b"Adobe\0\x64\0\0\0\0\0" * 2),
    "jpg_profile": lambda: _jpeg_with(0xE2, b"ICC_PROFILE\0\1\1" + bytes(60_000)),
    "jpg_profile_part": lambda: _jpeg_with(0xE2, b"ICC_PROFILE\0\xff\x01" + bytes(60)),
    "jpg_comments": lambda: _saved("JPEG").replace(b"\xff\xdb", _segment(0xFE, b"x" * 65_000) * 500 + b"\xff\xdb", 1),
    "jpg_orientation_9": lambda: _exif(9),
    "jpg_orientation_0": lambda: _exif(0),
    "jpg_orientation_6": lambda: _exif(6),
    "jpg_orientation_65535": lambda: _exif(65535),
    "jpg_exif_loop": lambda: _jpeg_with(0xE1, b"Exif\0\0II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0"),
    "jpg_exif_far": lambda: _jpeg_with(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "jpg_exif_big": lambda: _jpeg_with(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\1\3\0\xff\xff\xff\xff" * 5000),
    "jpg_progressive_scans": lambda: _many_scans(2000),
    "jpg_only_head": lambda: b"\xff\xd8\xff\xd9",
    "jpg_fill_bytes": lambda: b"\xff\xd8" + b"\xff" * 1_000_000 + _saved("JPEG")[2:],
    "gif_no_frames": lambda: _gif(b""),
    "gif_no_palette": lambda: b"GIF89a" + struct.pack("<HHBBB", 20, 20, 0, 0, 0) + b";",
    "gif_zero_frame": lambda: _gif(b"," + struct.pack("<HHHHB", 0, 0, 0, 0, 0) + b"\2\2L\1\0"),
    "gif_far_frame": lambda: _gif(b"," + struct.pack("<HHHHB", 60000, 60000, 60000, 60000, 0) + b"\2\2L\1\0"),
    "gif_animation": lambda: _animation("GIF", 5),
    "gif_comments": lambda: _gif(b"!\xfe" + (b"\xff" + bytes(255)) * 20_000 + b"\0"),
    "tiff_loop": lambda: _tiff((256, 4, 1, 20), (257, 4, 1, 20), following=8),
    "tiff_own_strip": lambda: _tiff((256, 4, 1, 30), (257, 4, 1, 30), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 0), (277, 3, 1, 1), (279, 4, 1, 2**32 - 1)),
    "tiff_many_samples": lambda: _tiff((256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 200), (277, 3, 1, 65535), (279, 4, 1, 81)),
    "tiff_zero_rows": lambda: _tiff((256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 200), (278, 4, 1, 0), (279, 4, 1, 81)),
    "tiff_bad_compression": lambda: _tiff((256, 4, 1, 9), (257, 4, 1, 9), (259, 3, 1, 34712), (273, 4, 1, 200)),
    "tiff_huge_tag": lambda: _tiff((256, 4, 1, 9), (257, 4, 1, 9), (34675, 7, 2**32 - 1, 8)),
    "tiff_pages": lambda: _animation("TIFF", 5),
    "tiff_float": lambda: _saved("TIFF", Pillow.fromarray(np.full((9, 9), np.nan, np.float32))),
    "bigtiff": lambda: b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**63) + bytes(100),
    "bmp_top_down": lambda: _bmp(20, -20),
    "bmp_lowest": lambda: _bmp(20, -(2**31)),
    "bmp_no_width": lambda: _bmp(0, 20),
    "bmp_negative_width": lambda: _bmp(-20, 20),
    "bmp_run_lengths": lambda: _bmp(20, 20, 8, 1),
    "bmp_7_bits": lambda: _bmp(20, 20, 7),
    "webp_animation": lambda: _animation("WEBP", 3),
    "webp_cut": lambda: _saved("WEBP")[:60],
    "webp_size_lies": lambda: b"RIFF\xff\xff\xff\xff" + _saved("WEBP")[8:],
    "webp_no_image": lambda: b"RIFF\x0a\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(10),
    "avif_cut": lambda: b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(30),
    "heic_box_lies": _heic,
    "pnm_maxval": lambda: b"P5 9 9 1000000000\n" + bytes(81),
    "pnm_maxval_0": lambda: b"P5 9 9 0\n" + bytes(81),
    "pnm_digits": lambda: b"P5 " + b"9" * 100_000 + b" 9 255\n",
    "pnm_comment": lambda: b"P6 #" + b"x" * 1_000_000 + b"\n2 2 255\n" + bytes(12),
    "pnm_negative": lambda: b"P6 -2 2 255\n" + bytes(12),
    "pnm_text": lambda: b"P3 2 2 255\n" + b"256 " * 12,
    "pfm": lambda: b"PF\n2 2\n-1.0\n" + struct.pack("<12f", *[float("nan")] * 12),
    "one_pixel": lambda: _lines(1, 1),
    "one_row": lambda: _lines(65_535, 1),
    "one_column": lambda: _lines(1, 65_535),
    "ico": lambda: _saved("ICO", Pillow.new("RGBA", (16, 16))),
    "pdf": lambda: _saved("PDF"),
    "jpeg2000": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
    "tga": lambda: _saved("TGA"),
    "fits": lambda: b"SIMPLE  =                    T" + b" " * 3000,
    "hdr": lambda: b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 100000 +X 100000\n" + bytes(99),
    "exr": lambda: b"\x76\x2f\x31\x01" + bytes(200),
    "npy": lambda: b"\x93NUMPY\1\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}" + bytes(99),
    "pickle": lambda: b"cos\nsystem\n(S'touch /tmp/pwned'\ntR.",
}  # fmt: skip


def _many_scans(count: int) -> bytes:
    whole = _saved("JPEG", Pillow.fromarray(picture(3, 200, 200)), quality=60, progressive=True)
    start = whole.rindex(b"\xff\xda")
    return whole[:start] + whole[start:-2] * count + whole[-2:]


ENDINGS = {
    "gif": "gif",
    "tiff": "tif",
    "bigtiff": "tif",
    "png": "png",
    "bmp": "bmp",
    "webp": "webp",
}
"""By the first word of a name."""


@each(**PICTURES)
def picture_of_this_kind(arena: Arena, make: Callable[[], bytes]) -> None:
    """It may fail; all others are made, with bounded memory, and verified."""
    place = arena.photos / "cat/odd.jpg"
    place.write_bytes(make())
    words = (*arena.cutout, "--max-pixels", 1_000_000)
    end = arena.run(*words, code={0, 1}, shell=f"ulimit -v {LIMIT}")
    made = len(list(arena.out.rglob("*-cutout-0.*")))
    arena.check("the others are made", made == (8 if end.code == 0 else 7), made)
    arena.verify()


def all_of_them_at_once(arena: Arena) -> None:
    """With the endings that their kinds have, in pairs: each is base and donor."""
    for name, make in PICTURES.items():
        ending = ENDINGS.get(name.partition("_")[0], "jpg")
        (arena.photos / f"dog/{name}.{ending}").write_bytes(make())
    words = ("mixup", arena.photos, "--workers", 2, "--max-pixels", 1_000_000, "--out", arena.out)
    arena.run(*words, code=1)
    before = {path: path.read_bytes() for path in arena.out.rglob("*-mixup-*")}
    arena.verify()
    arena.run(*words, code=1)
    arena.check(
        "a second run changes nothing",
        before == {path: path.read_bytes() for path in arena.out.rglob("*-mixup-*")},
    )


@each(jpg="jpg", png="png", webp="webp")
def size_that_the_format_can_not_hold(arena: Arena, kind: str) -> None:
    words = (*arena.cutout, "--format", kind, "--size", "70000x1")
    arena.run(*words, code={0, 1, 2})


def output_larger_than_memory(arena: Arena) -> None:
    words = (*arena.cutout, "--size", "60000x60000", "--format", "png")
    arena.run(*words, code={1, 2, 3}, shell=f"ulimit -v {LIMIT}")
