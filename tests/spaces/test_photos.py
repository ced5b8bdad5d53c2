"""Photos of the public page: which files are taken, what is left of them, six at most, and how they are served."""

from __future__ import annotations

import io
import struct
import zlib
from collections import Counter
from functools import partial

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from coworking.accounts.models import Person
from coworking.core import picture_rules as rules
from coworking.core import pictures
from coworking.core.db import db
from coworking.core.errors import DomainError, NotFound
from coworking.core.units import write_unit
from coworking.spaces import photo_queries, photos
from coworking.spaces.photo_models import MOST_PHOTOS, LieuPhoto, LieuPhotoFile
from tests.support.threads import at_once


def drawn(width: int = 1200, height: int = 800, mode: str = "RGB") -> Image.Image:
    """A picture with something on it."""
    image = Image.new("RGB", (width, height), (240, 230, 210))
    ImageDraw.Draw(image).rectangle([width // 4, height // 4, width // 2, height // 2], fill=(20, 90, 60))
    return image.convert(mode)


def written(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def png_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it is so large, with ``data`` as its compressed pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


# The header -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_format_and_size_are_read_without_decoding(kind):
    found = rules.check_picture(written(drawn(1201, 799), kind))
    assert (found.kind, found.width, found.height, found.moves) == (kind, 1201, 799, False)


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"}])
def test_every_kind_of_webp_says_its_size(options):
    assert rules.header_of(written(drawn(1201, 799), "WEBP", **options)).width == 1201


def test_a_progressive_jpeg_says_its_size():
    assert rules.header_of(written(drawn(1201, 799), progressive=True, comment=b"\xff\xc0 no frame")).width == 1201


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"nom;prenom\nRoux;Lea\n", rules.NotAPicture),
        (b"", rules.NotAPicture),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", rules.NotAPicture),
        (written(drawn(), "GIF"), rules.NotAPicture),
        (written(drawn(), "TIFF"), rules.NotAPicture),
        (b"\xff\xd8\xff", rules.PictureBroken),
        (b"\xff\xd8\xff\xe0\x00\x00\x00\x00", rules.PictureBroken),
        (b"\xff\xd8\xff\xd9", rules.PictureBroken),
        (b"\x89PNG\r\n\x1a\n", rules.PictureBroken),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", rules.PictureBroken),
        (written(drawn(40, 30)), rules.PictureSmall),
        (png_of(6000, 6000), rules.TooManyPixels),
        (png_of(2**31 - 1, 2**31 - 1), rules.TooManyPixels),
        (png_of(0, 600), rules.PictureBroken),
        (b"\xff\xd8\xff" + b"\x00" * rules.MOST_BYTES, rules.PictureHeavy),
        (written(drawn(), "WEBP", save_all=True, append_images=[drawn(mode="L")]), rules.PictureMoves),
        (written(drawn(), "PNG", save_all=True, append_images=[drawn(mode="L").convert("RGB")]), rules.PictureMoves),
    ],
)
def test_what_is_no_photo_for_the_page_is_refused_by_its_first_bytes(content, refusal, monkeypatch):
    monkeypatch.setattr(pictures.subprocess, "run", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(refusal):
        pictures.scaled(content)


# What is written anew -------------------------------------------------------------------------------------------------


def test_where_when_and_by_whom_it_was_taken_is_left_out():
    exif = Image.Exif()
    exif[0x013B], exif[0x0132] = "Lea Roux", "2026:11:24 10:36:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (45.0, 51.0, 24.0), 3: "E", 4: (3.0, 33.0, 0.0)})
    told = written(drawn(), exif=exif, comment=b"chez Lea", xmp=b"<x:xmpmeta>45.8566</x:xmpmeta>")
    assert b"Lea Roux" in told
    for one in pictures.scaled(told):
        image = opened(one.content)
        assert image.format == "WEBP"
        assert not image.getexif()
        assert not {"exif", "xmp", "comment", "icc_profile"} & set(image.info)
        assert not any(word in one.content for word in (b"Lea", b"2026:11", b"45.8566", b"EXIF", b"XMP "))


def test_it_is_kept_in_the_widths_that_it_has():
    sizes = [(one.width, one.height) for one in pictures.scaled(written(drawn(2400, 1600)))]
    assert sizes == [(480, 320), (960, 640), (1600, 1067)]
    assert [one.width for one in pictures.scaled(written(drawn(700, 500)))] == [480, 700]


def test_a_phone_held_upright_is_shown_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    first = pictures.scaled(written(drawn(1200, 800), exif=exif))[0]
    assert (first.width, first.height) == (480, 720)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGBA", "PNG"),
        ("P", "PNG"),
        ("L", "PNG"),
        ("LA", "PNG"),
        ("1", "PNG"),
        ("I;16", "PNG"),
        ("CMYK", "JPEG"),
        ("L", "JPEG"),
    ],
)
def test_every_kind_of_pixels_becomes_a_plain_photo(mode, kind):
    image = Image.new(mode, (700, 500)) if mode == "I;16" else drawn(700, 500).convert(mode)
    assert opened(pictures.scaled(written(image, kind))[0].content).mode == "RGB"


def test_what_is_transparent_lies_on_white():
    shown = opened(pictures.scaled(written(Image.new("RGBA", (700, 500), (0, 0, 0, 0)), "PNG"))[0].content)
    assert min(shown.getpixel((10, 10))) > 250


@pytest.mark.parametrize(
    "content",
    [
        written(drawn())[:-2000],
        written(drawn(), "PNG")[:-300],
        written(drawn(), "WEBP")[:-200],
        png_of(4000, 4000, zlib.compress(b"\x00" * 1000)),
        png_of(4000, 4000, b"no deflate stream"),
    ],
)
def test_what_is_cut_off_is_refused(content):
    with pytest.raises(rules.PictureBroken):
        pictures.scaled(content)


def test_a_bomb_ends_its_own_process_and_nothing_else(monkeypatch):
    """A file whose header lies is stopped by the limits of the process that decodes it."""
    monkeypatch.setattr(rules, "MOST_PIXELS", 10**12)
    with pytest.raises(rules.PictureBroken):
        pictures.scaled(png_of(60_000, 60_000, zlib.compress(b"\x00" * 10_000_000)))


# The page's photos ----------------------------------------------------------------------------------------------------


@pytest.fixture
def manager(inside, place, cast):
    return cast.manager.actor()


def add(actor, alt: str = "La grande salle", content: bytes | None = None) -> str:
    return photos.add_photo(actor, io.BytesIO(content or written(drawn(700, 500))), alt).public_id


def shown() -> list[str]:
    return [photo.alt for photo in photo_queries.photos()]


def test_photos_are_added_described_ordered_and_removed(manager):
    first, second, third = (add(manager, alt) for alt in ("un", "deux", "trois"))
    photos.move_photo(manager, third, earlier=True)
    photos.move_photo(manager, first, earlier=True)  # is the first already
    assert shown() == ["un", "trois", "deux"]
    photos.describe_photo(manager, second, "deux, le soir")
    photos.remove_photo(manager, first)
    photos.remove_photo(manager, first)
    assert shown() == ["trois", "deux, le soir"]
    with pytest.raises(NotFound):
        photos.move_photo(manager, first, earlier=False)
    assert db.session.scalar(select(func.count()).select_from(LieuPhotoFile)) == 4


def test_there_is_no_seventh_photo_whatever_program_writes(manager):
    for n in range(MOST_PHOTOS):
        add(manager, str(n))
    with pytest.raises(photos.TooManyPhotos):
        add(manager)
    for slot in (6, 7):
        with pytest.raises(DBAPIError), write_unit():
            db.session.execute(
                text(
                    "INSERT INTO lieu_photo (public_id, slot, position, alt, created_at) "
                    f"SELECT 'x', {slot}, 7, 'x', created_at FROM lieu_photo WHERE slot = 1"
                )
            )
        db.session.rollback()
    photos.remove_photo(manager, photo_queries.photos()[2].public_id)
    add(manager, "a new third")
    assert len(shown()) == MOST_PHOTOS


def test_of_sixteen_at_once_six_are_taken(app, place, cast, monkeypatch):
    made = pictures.scaled(written(drawn(700, 500)))
    monkeypatch.setattr(pictures, "scaled", lambda _content: made)

    def one() -> str:
        with app.app_context():
            try:
                add(db.session.get_one(Person, cast.manager.id).actor())
            except DomainError as refusal:
                return refusal.code
            return "added"

    assert Counter(at_once([partial(one) for _ in range(16)])) == {"added": 6, "too_many_photos": 10}
    with app.app_context():
        assert sorted(db.session.scalars(select(LieuPhoto.slot))) == [1, 2, 3, 4, 5, 6]


def test_who_waits_too_long_for_their_turn_is_told(monkeypatch):
    monkeypatch.setattr(pictures, "WAIT_S", 0.01)
    with pictures._turn, pytest.raises(pictures.PictureBusy):
        pictures.scaled(written(drawn(700, 500)))


# Pages ----------------------------------------------------------------------------------------------------------------


def send(client, content: bytes, alt: str = "La grande salle", name: str = "photo.jpg"):
    data = {"photo": (io.BytesIO(content), name), "alt": alt}
    return client.post("/settings/public-page/photos", data=data, content_type="multipart/form-data")


def test_a_manager_adds_a_photo_and_visitors_see_it(app, client, place, cast, sign_in):
    manager = sign_in(cast.manager)
    assert send(manager, written(drawn(1200, 800))).status_code == 303
    page = client.get("/lieu").get_data(as_text=True)
    assert 'alt="La grande salle"' in page
    address = page.split('<img src="', 1)[1].split('"', 1)[0]
    answer = app.test_client().get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    assert opened(answer.data).size == (480, 320)
    again = app.test_client().get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert app.test_client().get(address.replace("-480", "-481")).status_code == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"nom;prenom\n", "Ce fichier n’est pas une photo"),
        (png_of(6000, 6000), "6000 × 6000 pixels"),
        (written(drawn())[:-2000], "abîmé ou coupé"),
        (b"\xff\xd8\xff" + b"\x00" * rules.MOST_BYTES, "5 Mo au plus"),
    ],
)
def test_what_is_refused_is_said_at_its_input_and_the_words_stay(place, cast, sign_in, content, said):
    answer = send(sign_in(cast.manager), content, "Vue de la rue")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert said in page.split('id="photo-err"', 1)[1].split("</span>", 1)[0]
    assert 'value="Vue de la rue"' in page


def test_a_photo_without_words_is_not_published(app, place, cast, sign_in):
    answer = send(sign_in(cast.manager), written(drawn()), "  ")
    assert answer.status_code == 422
    with app.app_context():
        assert shown() == []


def test_a_photo_that_is_far_too_large_is_not_even_read(place, cast, sign_in):
    assert send(sign_in(cast.manager), b"\xff\xd8\xff" + b"\x00" * 7_000_000).status_code == 413
