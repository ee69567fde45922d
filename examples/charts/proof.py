"""What has to hold of a finished chart, told from its bytes alone."""

from __future__ import annotations

import struct
import zlib
from xml.etree import ElementTree as ET

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_size(content: bytes) -> tuple[int, int]:
    """Width and height of a whole PNG. Raises ValueError if it is none: each chunk is counted and its checksum compared."""
    if not content.startswith(SIGNATURE):
        raise ValueError("it does not begin as a PNG does")
    size, at, kind = (0, 0), len(SIGNATURE), b""
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        chunk = content[at + 4 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        if zlib.crc32(chunk) != checksum:
            raise ValueError(f"the checksum of its chunk {kind!r} is wrong")
        if kind == b"IHDR":
            size = struct.unpack_from(">II", chunk, 4)
        at += 12 + length
    if kind != b"IEND":
        raise ValueError("it has no end")
    return size


def svg_size(content: bytes) -> tuple[int, int]:
    """Width and height of a whole SVG that shows something. Raises ValueError, or the parser's ParseError."""
    root = ET.fromstring(content)
    if root.tag != "{http://www.w3.org/2000/svg}svg" or not any(part.tag.endswith("}path") for part in root.iter()):
        raise ValueError("it is no drawing")
    return round(float(root.get("width", "0"))), round(float(root.get("height", "0")))


def flaw(form: str, content: bytes) -> str:
    """What is wrong with an image; nothing, if it is whole."""
    try:
        width, height = png_size(content) if form == "png" else svg_size(content)
    except (ValueError, struct.error, ET.ParseError) as error:
        return str(error)
    return "" if width > 100 and height > 100 else f"it has {width} x {height} pixels"
