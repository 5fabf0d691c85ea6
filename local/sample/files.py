"""Attachments of sample mails, made in code: pictures of wheels, small PDFs, tables, archives."""

from __future__ import annotations

import io
import math
import random
import struct
import zipfile
import zlib
from functools import cache

from local.sample.mime import Blob, blob


@cache
def photos() -> tuple[Blob, ...]:
    """Pictures as customers take them, 20 to 250 kB."""
    sizes = ((150, 110), (190, 140), (240, 180), (170, 170), (290, 210), (220, 120))
    pngs = [_wheel(width, height, seed) for seed, (width, height) in enumerate(sizes)]
    names = (
        "wheel.png",
        "IMG_2041.png",
        "zip-tie gauge.png",
        "Screenshot 2026-02-11.png",
        "bike 32.png",
        "foto_buje.png",
    )
    jpegs = [blob(f"IMG_{number}.jpg", "image/jpeg", _jpeg(number * 9)) for number in (1187, 3302)]
    return (*(blob(name, "image/png", png) for name, png in zip(names, pngs, strict=True)), *jpegs)


@cache
def documents(language: str) -> tuple[Blob, ...]:
    """Our attachments: invoices, offers, tables, labels."""
    names = {
        "es": ("Factura rectificada.pdf", "Oferta Halden.pdf", "Tabla de pares de apriete A3.pdf"),
    }.get(language, ("Invoice (corrected).pdf", "Halden offer.pdf", "Torque table A3.pdf"))
    return tuple(blob(name, "application/pdf", _pdf(name, 4_000 * 3**size)) for size, name in enumerate(names))


@cache
def papers() -> tuple[Blob, ...]:
    """Attachments from others: bills, lists, archives."""
    return (
        blob("bill workshop.pdf", "application/pdf", _pdf("Wheel trued, spokes tensioned: paid", 18_000)),
        blob("fleet list.csv", "text/csv", _csv(400)),
        blob("lista_flota.csv", "text/csv", _csv(60)),
        blob("pictures.zip", "application/zip", _zip()),
    )


@cache
def logo() -> Blob:
    """The small picture in a signature."""
    return blob("logo.png", "image/png", _wheel(48, 48, 99, noise=0))


def _wheel(width: int, height: int, seed: int, noise: int = 24) -> bytes:
    """A wheel on a background, with the grain of a cheap camera."""
    rng = random.Random(seed)
    sky, rubber = [rng.randrange(120, 230) for _ in "rgb"], bytes(rng.randrange(20, 70) for _ in "rgb")
    middle, radius = (width / 2, height / 2), min(width, height) * 0.42
    rows = bytearray()
    for y in range(height):
        row = bytearray(rng.randbytes(width * 3))
        for channel, light in enumerate(sky):
            row[channel::3] = row[channel::3].translate(_grain(light - y * 40 // height, noise))
        for x in range(width):
            if _on_wheel(x - middle[0], y - middle[1], radius):
                row[x * 3 : x * 3 + 3] = rubber
        rows += b"\0" + row
    return _png(width, height, bytes(rows))


def _grain(light: int, noise: int) -> bytes:
    """A table for `translate` that turns random bytes into this shade, with slight differences."""
    return bytes(max(0, min(255, light + value % (noise + 1))) for value in range(256))


def _on_wheel(x: float, y: float, radius: float) -> bool:
    distance = math.hypot(x, y)
    if radius * 0.9 < distance < radius or distance < radius * 0.09:
        return True
    angle = math.atan2(y, x) * 12 / math.pi  # 24 spokes
    return distance < radius and abs(angle - round(angle)) * distance < radius * 0.02


def _png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")


def _jpeg(size: int, width: int = 640, height: int = 480) -> bytes:
    """A grey picture (every block is the two zero bits of "as before"), with comments of the size of a photo."""

    def segment(marker: int, content: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content

    weight = random.Random(size).randbytes(size)
    one_code = bytes([1, *[0] * 15, 0])  # a Huffman table whose only code is a zero bit
    blocks = width * height // 64
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            *(segment(0xFE, weight[start : start + 60_000]) for start in range(0, size, 60_000)),
            segment(0xDB, b"\0" + b"\1" * 64),
            segment(0xC0, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)),
            segment(0xC4, b"\x00" + one_code),
            segment(0xC4, b"\x10" + one_code),
            segment(0xDA, b"\1\1\0\0\x3f\0"),
            bytes(blocks * 2 // 8),
            b"\xff\xd9",
        )
    )


def _pdf(title: str, size: int) -> bytes:
    """One page with a line of text, and an invisible stream with the size of a real document."""
    line = title.encode("latin-1", "replace").replace(b"(", b"\\(").replace(b")", b"\\)")
    page = b"BT /F 20 Tf 60 760 Td (Halden bicycle parts) Tj 0 -40 Td /F 12 Tf (" + line + b") Tj ET"
    weight = random.Random(title).randbytes(size)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(page), page),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(weight), weight),
    ]
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return out.getvalue()


def _csv(rows: int) -> bytes:
    rng = random.Random(rows)
    lines = ["bike;frame;size;last service;brakes"]
    lines += [
        f"{number};HB{rng.randrange(10**6):06};{rng.choice(['S', 'M', 'L'])};2026-01-{rng.randrange(1, 29):02};B01S"
        for number in range(1, rows + 1)
    ]
    return "\r\n".join(lines).encode()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in (1, 2):
            entry = zipfile.ZipInfo(f"picture {number}.png", date_time=(2026, 2, 1, 12, 0, 0))
            archive.writestr(entry, _wheel(110, 80, number))
    return out.getvalue()
