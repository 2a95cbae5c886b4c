"""Trying the formats: one that is missing, or gives wrong pixels, is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import cv2
import numpy as np
import pytest
from PIL import Image

from augcli.data.codecs.containers import Container
from augcli.data.codecs.decoding import Decoded, decode
from augcli.data.codecs.pillow import missing_for
from augcli.doctor import codec_trial as trial
from augcli.doctor.codec_trial import CODECS, try_codec

if TYPE_CHECKING:
    from augcli.doctor.codec_trial import Codec

THERE = [codec for codec in CODECS if not missing_for(codec.name)]
each_codec = pytest.mark.parametrize("codec", THERE, ids=lambda codec: codec.name)


@each_codec
def test_every_format_is_there(codec: Codec) -> None:
    assert try_codec(codec) == ""


@each_codec
def test_a_format_that_can_not_be_written_is_reported(
    codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> Any:
        raise cv2.error("no encoder")

    monkeypatch.setattr(cv2, "imencode", failing)
    failure = try_codec(codec)
    assert failure == ("can't write it (error: no encoder)" if codec.written else "")


@each_codec
def test_a_format_that_only_opencv_reads_is_reported(
    codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> Any:
        raise OSError("cannot identify image file")

    monkeypatch.setattr(Image, "open", failing)
    if codec.name in ("HEIC", "NPY"):
        pytest.skip("a plug-in or NumPy reads it, and not Image.open")
    assert try_codec(codec) == "can't read it with Pillow (OSError: cannot identify image file)"


@each_codec
@pytest.mark.parametrize(
    "change", [np.flipud, lambda image: image[..., ::-1], lambda image: image[1:]]
)
def test_wrong_pixels_are_noticed(
    codec: Codec, change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "decode", lambda data: Decoded(change(decode(data).image)))
    assert try_codec(codec) == "augcli reads other pixels than were written"


def test_every_format_that_is_read_is_tried() -> None:
    assert {codec.name for codec in CODECS} == set(get_args(Container))
