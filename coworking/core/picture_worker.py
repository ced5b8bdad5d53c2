"""The process that decodes one picture and writes it anew in several widths. `core.pictures` starts it; nothing imports it.

Its arguments are the format that the header said and the widths; its input is the file. Its output is, for each width, the
width, the height and the length (four bytes each, big-endian) and that many bytes of WebP. It ends with status 3 where the
file cannot be read. What it may take of memory and time is limited, so that a bomb ends this process and nothing else.
"""

from __future__ import annotations

import io
import resource
import struct
import sys

MEMORY = 1 << 30
"""Bytes of addresses: 25 million pixels with their working copies take about half."""
SECONDS = 30
QUALITY = 80
BROKEN = 3


def main(kind: str, widths: list[int]) -> int:
    """Write what `coworking.core.pictures.scaled` reads; return the status to end with."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    content = sys.stdin.buffer.read()
    try:
        made = _scaled(content, kind, widths)
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return BROKEN
    for width, height, written in made:
        sys.stdout.buffer.write(struct.pack(">III", width, height, len(written)) + written)
    return 0


def _scaled(content: bytes, kind: str, widths: list[int]) -> list[tuple[int, int, bytes]]:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # `picture_rules` has read the size; the limit above holds whatever it says
    image = Image.open(io.BytesIO(content), formats=(kind,))
    largest = max(widths)
    if kind == "JPEG":
        image.draft(
            "RGB", (2 * largest, 2 * largest)
        )  # half or a quarter of the pixels are decoded, where that is enough
    image.load()
    profile = image.info.get("icc_profile")
    image = _plain(ImageOps.exif_transpose(image))
    image.thumbnail((largest, 2 * largest), Image.Resampling.LANCZOS)
    image = _in_srgb(image, profile)
    image.info.clear()  # EXIF, XMP and comments: where and when it was taken, and by whom
    made: list[tuple[int, int, bytes]] = []
    for width in sorted({min(width, image.width) for width in widths}):
        height = max(1, round(image.height * width / image.width))
        one = image if width == image.width else image.resize((width, height), Image.Resampling.LANCZOS)
        written = io.BytesIO()
        one.save(written, "WEBP", quality=QUALITY, method=4, exif=b"", xmp=b"", icc_profile=b"")
        made.append((one.width, one.height, written.getvalue()))
    return made


def _plain(image):  # type: ignore[no-untyped-def] - Pillow is imported by this process alone
    """The picture in red, green and blue, what is transparent on white."""
    from PIL import Image

    if image.mode == "RGB":
        return image
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        return ground
    if image.mode.startswith("I"):  # 16 bits of grey
        image = image.point(lambda value: value / 256).convert("L")
    return image.convert("RGB")


def _in_srgb(image, profile):  # type: ignore[no-untyped-def]
    """The colours as a screen without profiles shows them; as they are where the profile says nothing that can be used."""
    from PIL import ImageCms

    if not profile:
        return image
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], [int(width) for width in sys.argv[2:]]))
