"""Image files: which formats there are, and how they become pixels and pixels become files.

- ``formats``: names, file endings and first bytes; imports no decoder.
- ``headers``: size, orientation and the like, read without decoding, into the record of
  ``containers``. It uses ``png``, ``gif``, ``tiff``, ``pnm`` and ``npy`` (headers of these),
  ``tags`` (of TIFF and Exif) and ``disagreements`` (files that OpenCV and Pillow read
  differently).
- ``decoding``: bytes to an array. It uses ``pillow`` (files opened with Pillow), ``deep`` (16 bits
  a sample), ``orientation`` and ``silence`` (nothing on standard error).
- ``encoding``: an array to bytes.
"""
