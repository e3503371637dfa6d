"""Drawn and uploaded pictures in the form of a data set, against arithmetic written separately; and what is refused."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from playground.data import pictures
from playground.errors import SpecError
from playground.spec.data import Digits, FashionMnist, Mnist

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"
SEVEN = [[[250, 200], [750, 200], [450, 850]]]
DIGITS = Digits(), (8, 8, 1)
MNIST = Mnist(), (28, 28, 1)


def saved(picture: np.ndarray | Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG of zeros, a thousandth of its pixels' size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + width)) for _ in range(height)) + packer.flush()
    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def ink(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Grey in a frame of full ink, so that its edges are where they are said to be."""
    block = np.random.default_rng(seed).integers(60, 256, (height, width)).astype(np.uint8)
    block[[0, -1]] = block[:, [0, -1]] = 255
    return block


class TestDrawing:
    def test_a_stroke_is_as_wide_as_the_pen(self):
        drawn = pictures.draw([[[100, 500], [900, 500]]])
        assert drawn.shape == (280, 280)
        assert drawn[:, 140].sum() / 255 == pytest.approx(pictures.PEN * 280 / 1000, abs=1)
        across = np.flatnonzero(drawn[140])
        assert (across[0], across[-1]) == pytest.approx(((100 - 38) * 0.28, (900 + 38) * 0.28), abs=1.5)

    def test_a_dot_is_round(self):
        drawn = pictures.draw([[[500, 500]]]) / 255
        assert drawn.sum() == pytest.approx(np.pi * (pictures.PEN * 0.28 / 2) ** 2, rel=0.05)

    def test_nothing_drawn_is_black_and_cannot_be_prepared(self):
        assert not pictures.draw([]).any()
        for spec, shape in (DIGITS, MNIST):
            with pytest.raises(SpecError, match="Nothing is on"):
                pictures.prepare(pictures.draw([]), spec, shape)

    @pytest.mark.parametrize(
        "strokes", ["1", 7, [["a"]], [[[1, float("nan")]]], [[[1, 2, 3]]], [None], [[[0, 0]] * 20_001], {"a": 1}]
    )
    def test_what_is_no_drawing_is_refused(self, strokes):
        with pytest.raises(SpecError, match="Clear the pad"):
            pictures.draw(strokes)

    def test_points_far_outside_do_no_harm(self):
        assert pictures.draw([[[-1e12, 500], [1e12, 500]]])[140].all()


class TestLikeMnist:
    def test_its_box_is_20_pixels_of_block_means(self):
        page = np.zeros((300, 260), np.uint8)
        page[30:230, 90:190] = block = ink(200, 100)
        found = pictures.like_mnist(page)
        small = block.reshape(20, 10, 10, 10).mean(axis=(1, 3))
        rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
        assert (len(rows), len(columns)) == (20, 10)
        np.testing.assert_allclose(found[rows[0] :][:20, columns[0] :][:, :10], small, atol=1)

    @pytest.mark.parametrize("seed", range(4))
    def test_its_centre_of_mass_is_in_the_middle(self, seed):
        strokes = [np.random.default_rng(seed).integers(200, 800, (4, 2)).tolist()]
        found = pictures.prepare(pictures.draw(strokes), *MNIST).x[0, ..., 0].astype(float)
        middle = [(found.sum(axis=1 - axis) * np.arange(28)).sum() / found.sum() for axis in (0, 1)]
        np.testing.assert_allclose(middle, 14, atol=0.51)

    def test_where_it_stands_and_how_large_it_is_do_not_matter(self):
        points = np.array(SEVEN[0])
        first = pictures.prepare(pictures.draw([points]), *MNIST).x.astype(int)
        moved = pictures.prepare(pictures.draw([np.add(points, [80, -60])]), *MNIST).x.astype(int)
        assert np.abs(first - moved).mean() < 3

    def test_its_pen_is_as_thick_as_theirs(self):
        pytest.importorskip("sklearn")
        found = pictures.prepare(pictures.draw(SEVEN), *MNIST).x
        # MNIST's mean is 33 of 255 over all digits, 29 for the sevens.
        assert 20 < found.mean() < 42


class TestLikeDigits:
    def test_a_bar_fills_the_height_and_no_more_than_five_eighths_of_the_width(self):
        found = pictures.prepare(pictures.draw(SEVEN), *DIGITS).x[0, ..., 0]
        assert found.any(axis=1).all()
        assert not found[:, [0, -1]].any()
        assert found.max() <= 16
        assert found.mean() == pytest.approx(4.9, abs=1)

    def test_each_pixel_counts_the_black_of_its_block(self):
        bars = np.zeros((64, 40), np.uint8)
        bars[:, :10] = bars[:, 30:] = 255
        found = pictures.like_digits(np.pad(bars, 20))
        # 20 of 32 columns hold it, its bars are 5 wide: columns 6–10 and 21–25.
        bitmap = np.zeros((32, 32))
        bitmap[:, 6:11] = bitmap[:, 21:26] = 1
        counts = bitmap.reshape(8, 4, 8, 4).sum(axis=(1, 3))
        np.testing.assert_allclose(found / 255 * 16, counts, atol=0.5)

    def test_a_slanting_digit_is_set_upright(self):
        upright = pictures.like_digits(pictures.draw([[[500, 150], [500, 850]], [[400, 150], [600, 150]]]))
        leaning = pictures.like_digits(pictures.draw([[[650, 150], [350, 850]], [[550, 150], [750, 150]]]))
        assert np.abs(upright.astype(int) - leaning).mean() < 40


def test_prepared_digits_are_told_as_well_as_their_own():
    """MNIST's digits, enlarged as if drawn, and given to a classifier of each data set."""
    from sklearn.datasets import load_digits
    from sklearn.svm import SVC

    from playground.data import loading

    if not (REAL_DATA / "mnist.npz").is_file():
        pytest.skip("MNIST is not beside the repository")
    mnist = loading.LOADERS[Mnist](Mnist(), 0, [REAL_DATA])
    x, y = mnist.x[:2000, ..., 0], mnist.y[:2000]
    wanted, truth = mnist.test[0][:200, ..., 0], mnist.test[1][:200]
    drawn = [np.pad(np.asarray(Image.fromarray(one).resize((160, 160))), 60) for one in wanted]

    digits = SVC(gamma=0.001).fit(*load_digits(return_X_y=True))
    prepared = np.stack([pictures.prepare(one, *DIGITS).x.ravel() for one in drawn])
    assert (digits.predict(prepared) == truth).mean() > 0.75  # other writers: plain averaging gives 0.56

    own = SVC(C=5).fit(x.reshape(len(x), -1) / 255, y)
    prepared = np.stack([pictures.prepare(one, *MNIST).x.ravel() for one in drawn])
    loss = own.score(wanted.reshape(len(wanted), -1) / 255, truth) - own.score(prepared / 255, truth)
    assert loss < 0.02


class TestPrepare:
    def test_a_picture_of_the_data_set_stays_as_it_is(self):
        own = np.random.default_rng(0).integers(0, 100, (28, 28)).astype(np.uint8)
        own[[0, -1]] = own[:, [0, -1]] = 0
        found = pictures.prepare(pictures.read(saved(own)), *MNIST)
        np.testing.assert_array_equal(found.x[0, ..., 0], own)
        assert "taken as it is" not in found.notes
        assert "was taken as it is" in found.notes[0]

    def test_ink_on_paper_is_turned_to_its_negative(self):
        paper = 255 - pictures.draw(SEVEN)
        found = pictures.prepare(paper, *MNIST)
        np.testing.assert_array_equal(found.x, pictures.prepare(pictures.draw(SEVEN), *MNIST).x)
        assert "negative" in found.notes[0]

    def test_other_pictures_are_cut_to_the_middle_and_averaged(self):
        wide = np.random.default_rng(1).integers(0, 100, (56, 112)).astype(np.uint8)
        found = pictures.prepare(wide, FashionMnist(), (28, 28, 1)).x[0, ..., 0]
        means = wide[:, 28:84].reshape(28, 2, 28, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(found, means, atol=1)  # Pillow rounds after the rows and after the columns

    def test_colours_stay(self):
        picture = np.zeros((64, 64, 3), np.uint8)
        picture[..., 1] = 200
        found = pictures.prepare(picture, FashionMnist(), (32, 32, 3))
        assert found.x.shape == (1, 32, 32, 3)
        np.testing.assert_array_equal(found.x[0, 5, 5], [0, 200, 0])


class TestRead:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP"])
    def test_each_kind_by_its_content(self, kind):
        picture = np.full((40, 30, 3), 200, np.uint8)
        found = pictures.read(saved(picture, kind))
        assert found.shape == (40, 30, 3)
        assert np.abs(found.astype(int) - 200).max() < 8

    @pytest.mark.parametrize(
        ("mode", "value", "kind"),
        [("CMYK", (0, 255, 0, 0), "JPEG"), ("P", 7, "PNG"), ("L", 90, "PNG"), ("1", 1, "PNG"), ("LA", (9, 200), "PNG")],
    )
    def test_other_colour_models(self, mode, value, kind):
        image = Image.new(mode, (20, 10), value)
        np.testing.assert_allclose(
            pictures.read(saved(image, kind)), np.asarray(image.convert("RGB")), atol=60 if mode == "LA" else 8
        )

    def test_16_bits_are_scaled_and_not_cut(self):
        steps = np.linspace(0, 65535, 100).astype(np.uint16).reshape(10, 10)
        np.testing.assert_allclose(pictures.read(saved(steps))[..., 0], steps / 257, atol=0.51)

    @pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)])
    def test_what_is_transparent_becomes_the_paper_that_shows_the_ink(self, ink, paper):
        picture = np.zeros((10, 10, 4), np.uint8)
        picture[4:6, 4:6] = [ink, ink, ink, 255]
        found = pictures.read(saved(picture))
        assert (found[0, 0, 0], found[5, 5, 0]) == (paper, ink)

    def test_the_first_picture_of_an_animation(self):
        frames = [Image.new("L", (8, 8), value) for value in (30, 200)]
        blob = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
        assert pictures.read(blob).max() == 30

    def test_a_photograph_stands_upright(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was turned
        assert pictures.read(saved(np.zeros((20, 40, 3), np.uint8), "JPEG", exif=exif)).shape == (40, 20, 3)

    def test_a_large_one_is_reduced(self):
        assert pictures.read(saved(np.zeros((1500, 3000), np.uint8))).shape == (512, 1024, 3)


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(/etc/passwd) (r) file\nshowpage\n"


class TestRefused:
    @pytest.mark.parametrize("size", [(13_000, 13_000), (5_001, 5_000)])
    def test_a_bomb(self, size):
        with pytest.raises(SpecError, match="25 million are the most"):
            pictures.read(png_of_size(*size))

    def test_a_bomb_whose_header_lies(self):
        blob = bytearray(png_of_size(64, 64))
        blob[16:24] = struct.pack(">2I", 60_000, 60_000)
        blob[29:33] = struct.pack(">I", zlib.crc32(bytes(blob[12:29])))
        with pytest.raises(SpecError, match="25 million are the most"):
            pictures.read(bytes(blob))

    def test_a_large_file(self):
        with pytest.raises(SpecError, match="10 MB are the most"):
            pictures.read(b"\x89PNG\r\n\x1a\n" + bytes(10_000_000))

    @pytest.mark.parametrize(
        "blob",
        [b"", b"GIF", b"<svg xmlns='http://www.w3.org/2000/svg'/>", POSTSCRIPT, b"II*\0" + bytes(90), b"RIFF0000WAVE"],
        ids=["empty", "short", "svg", "postscript", "tiff", "sound"],
    )
    def test_what_is_no_picture_known_here(self, blob):
        with pytest.raises(SpecError, match="Upload a PNG, JPEG, BMP, GIF or WebP"):
            pictures.read(blob)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP"])
    @pytest.mark.parametrize("left", [0.1, 0.5])
    def test_half_a_picture(self, kind, left):
        noise = np.random.default_rng(0).integers(0, 255, (60, 60, 3)).astype(np.uint8)
        blob = saved(noise, kind)
        with pytest.raises(SpecError, match="damaged"):
            pictures.read(blob[: int(left * len(blob))])

    def test_postscript_behind_the_signature_of_a_png(self):
        with pytest.raises(SpecError, match="damaged"):
            pictures.read(b"\x89PNG\r\n\x1a\n" + POSTSCRIPT)
