"""Nothing of libpng, libjpeg, libtiff or OpenCV reaches standard error, in any mode or verb."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from augcli.data.codecs.decoding import decode
from augcli.data.codecs.png import bare_png
from tests.command import call, environment
from tests.data.codecs.pictures import chunk
from tests.photos import picture, rows

if TYPE_CHECKING:
    from pathlib import Path

LIBRARIES = ("libpng", "iCCP", "Corrupt JPEG", "tempfile.tif", "TIFF", "LZW", "WARN:", "ERROR:")


def profile() -> bytes:
    """Return a colour profile that libpng knows and complains about."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[64:68] = b"\0\0\0\x09"
    return chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(bytes(data)))


def saved(seed: int, container: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(picture(seed, 40, 56)).save(file, container, **options)
    return file.getvalue()


def odd_png(seed: int) -> bytes:
    data = saved(seed, "PNG")
    return data[:33] + profile() + data[33:]


def odd_jpeg(seed: int) -> bytes:
    """Return a JPEG with bytes too many before its end: it is read, with a complaint."""
    data = saved(seed, "JPEG", quality=90)
    return data[:-2] + bytes(range(1, 30)) + data[-2:]


def damaged_png(seed: int) -> bytes:
    data = bytearray(saved(seed, "PNG"))
    data[60:90] = bytes(30)
    return bytes(data)


def damaged_tiff(seed: int) -> bytes:
    data = bytearray(saved(seed, "TIFF", compression="tiff_lzw"))
    data[200:260] = b"\xff" * 60
    return bytes(data)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """INPUT: pictures that libraries complain about; some can be read."""
    for label in ("cat", "dog"):
        folder = tmp_path / "odd" / label
        folder.mkdir(parents=True)
        for number in range(3):
            seed = number + 5 * (label == "dog")
            (folder / f"{number}.png").write_bytes(odd_png(seed))
            (folder / f"{number}.jpg").write_bytes(odd_jpeg(seed))
        (folder / "bad.png").write_bytes(damaged_png(1))
        (folder / "bad.tif").write_bytes(damaged_tiff(1))
    return tmp_path / "odd"


def assert_quiet(err: str) -> None:
    ours = [line for line in err.splitlines() if "failed: " not in line]
    assert not [line for line in ours if any(word in line for word in LIBRARIES)], err


def test_libraries_do_complain_about_these(tmp_path: Path) -> None:
    code = """
import sys, cv2, numpy
cv2.imdecode(numpy.fromfile(sys.argv[1], numpy.uint8), cv2.IMREAD_COLOR)
"""
    for name, data in (("a.png", odd_png(1)), ("a.jpg", odd_jpeg(1)), ("b.png", damaged_png(1))):
        (tmp_path / name).write_bytes(data)
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path / name],
            capture_output=True,
            text=True,
            check=True,
        )
        assert any(word in done.stderr for word in LIBRARIES), name


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_is_quiet(odd: Path, tmp_path: Path, workers: int) -> None:
    out = tmp_path / "out"
    end = call("cutout", odd, "--out", out, "--patch", 9, "--workers", workers)
    assert end.code == 1
    assert end.err.count("failed: ") == 4
    assert "4 images failed" in end.err
    assert_quiet(end.err)
    assert len(rows(out)) == 12


def test_other_verbs_are_quiet(odd: Path, tmp_path: Path) -> None:
    out, maps = tmp_path / "out", tmp_path / "maps.npz"
    for command, code in (
        (("cutmix", odd, "--out", out, "--dry-run"), 0),
        (("heatmaps", odd, "--out", maps, "--workers", 0, "--overlay", tmp_path / "seen"), 1),
        (("cutmix", odd, "--out", out, "--workers", 0, "--heatmaps", maps), 1),
        (("verify", out, "--against", odd), 0),
    ):
        end = call(*command)
        assert end.code == code, end.err
        assert_quiet(end.err)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_closed_streams_stay_closed(odd: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = f"{sys.executable} -m augcli cutout {odd} --out {out} --workers 0 --patch 9 2>&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, f"{out}/metadata.csv\n")
    assert all(decode((out / row["file_name"]).read_bytes()).image.size for row in rows(out))


def test_python_is_quiet(odd: Path, tmp_path: Path) -> None:
    code = f"""
import sys
import augcli
out, odd = {str(tmp_path / "out")!r}, {str(odd)!r}
augcli.augment(odd, augcli.Cutout(patch=9), out=out, workers=0)
augcli.verify(out, against=odd)
print("a line of the script", file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stderr == "a line of the script\n"


SILENCED = """
import os, threading
from augcli.data.codecs.silence import silenced

def write():
    with silenced():
        os.write(2, b"beside a thread\\n")

with silenced():
    os.write(2, b"lost\\n")
thread = threading.Thread(target=write)
thread.start()
thread.join()
try:
    with silenced():
        raise ValueError
except ValueError:
    os.write(2, b"after an error\\n")
os.close(2)
with silenced():
    pass
"""


def test_only_a_single_thread_is_silenced() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SILENCED],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "beside a thread\nafter an error\n"


def test_odd_pngs_are_quiet_beside_other_threads(capfd: pytest.CaptureFixture[str]) -> None:
    data = odd_png(3)
    images = []
    thread = threading.Thread(target=lambda: images.append(decode(data).image))
    thread.start()
    thread.join()
    assert np.array_equal(images[0], picture(3, 40, 56))
    assert capfd.readouterr().err == ""


def test_a_bare_png_has_the_same_pixels_and_no_profile() -> None:
    data = odd_png(4)
    assert b"iCCP" in data
    bare = bare_png(data)
    assert bare == saved(4, "PNG")
    assert bare_png(bare) is bare
