"""Image files: which formats there are, and how they become pixels and pixels become files.

- ``formats``: names, file endings and first bytes; imports no decoder.
- ``headers``: size, orientation and the like, read without decoding. It uses ``tags`` (of TIFF
  and Exif) and ``disagreements`` (files that OpenCV and Pillow read differently).
- ``decoding``, ``encoding``: bytes to an array, an array to bytes.
"""
