"""A folder with one subfolder a class is read as a person means it, or says what is wrong with it."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data import image_folder
from training.data.mnist import DatasetError

pytestmark = pytest.mark.tensorflow

SIDE = 16


def write_class(folder, name, count, hue, ending="png"):
    """Images of one colour each, all different, their red telling the class."""
    (folder / name).mkdir(parents=True)
    for number in range(count):
        colour = (hue, 9 * number, 0)  # JPEG and WebP round what is closer
        Image.new("RGB", (40, 30), colour).save(folder / name / f"{number:02}.{ending}")


@pytest.fixture
def folder(tmp_path):
    write_class(tmp_path, "roses", 20, hue=200)
    write_class(tmp_path, "lawns", 10, hue=100)
    return tmp_path


def save(path, image, **options):
    image.save(path, **options)
    return path


def test_a_subfolder_is_a_class(folder):
    splits = image_folder.read(folder, seed=1, side=SIDE)

    assert splits.labels == ("lawns", "roses")
    parts = splits[:3]
    assert [len(part.labels) for part in parts] == [24, 3, 3]
    for images, numbers in parts:
        assert images.dtype == np.uint8
        assert images.shape[1:] == (SIDE, SIDE, 3)
        assert numbers.dtype == np.int64
        assert images[:, 0, 0, 0].tolist() == [(100, 200)[number] for number in numbers]
        assert set(numbers.tolist()) == {0, 1}
    assert "30 images of 2 classes" in splits.source


def test_every_image_is_in_one_part(folder):
    splits = image_folder.read(folder, seed=1, side=SIDE)

    colours = np.concatenate([part.images[:, 0, 0] for part in splits[:3]])
    assert len(np.unique(colours, axis=0)) == 30


def test_the_same_seed_gives_the_same_parts(folder):
    first, again, other = (image_folder.read(folder, seed, SIDE) for seed in (1, 1, 2))

    assert np.array_equal(first.train.images, again.train.images)
    assert not np.array_equal(first.train.images, other.train.images)


def test_endings_in_capitals_and_other_formats_are_read(tmp_path):
    write_class(tmp_path, "a", 10, hue=10, ending="JPG")
    write_class(tmp_path, "b", 10, hue=90, ending="webp")

    splits = image_folder.read(tmp_path, seed=1, side=SIDE)

    assert len(splits.train.labels) == 16


def test_what_is_hidden_or_no_image_is_left_alone(folder, capsys):
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "__MACOSX").mkdir()
    (folder / "roses" / "._00.png").write_bytes(b"a Mac's own notes")
    (folder / "roses" / "Thumbs.db").write_bytes(b"")
    (folder / "notes.txt").write_text("taken in May")

    splits = image_folder.read(folder, seed=1, side=SIDE)

    assert splits.labels == ("lawns", "roses")
    assert len(splits.train.labels) == 24
    assert "roses: ignored files" in (said := capsys.readouterr().err)
    assert ".db (1)" in said


def test_a_copy_counts_once(folder, capsys):
    shutil.copy(folder / "roses" / "00.png", folder / "roses" / "again.png")

    splits = image_folder.read(folder, seed=1, side=SIDE)

    assert sum(len(part.labels) for part in splits[:3]) == 30
    assert "roses: 1 duplicate" in capsys.readouterr().err


def test_one_image_cannot_be_of_two_classes(folder):
    shutil.copy(folder / "roses" / "00.png", folder / "lawns" / "rose.png")

    with pytest.raises(DatasetError, match=r"rose\.png and .*00\.png are the same image"):
        image_folder.read(folder, seed=1, side=SIDE)


def test_one_class_is_too_few(tmp_path):
    write_class(tmp_path, "only", 10, hue=1)

    with pytest.raises(DatasetError, match="at least two, got only"):
        image_folder.read(tmp_path, seed=1)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"got .*flowers, which does not exist"):
        image_folder.read(tmp_path / "flowers", seed=1)


def test_a_class_needs_ten_images(folder):
    write_class(folder, "few", 3, hue=1)

    with pytest.raises(DatasetError, match=r"class few has 3 different images .* at least 10"):
        image_folder.read(folder, seed=1)


def test_a_folder_already_split_says_which_one_to_give(tmp_path):
    for part in ("test", "train"):
        write_class(tmp_path / part, "roses", 1, hue=1)

    with pytest.raises(DatasetError, match=r"got test and train: give .*train;"):
        image_folder.read(tmp_path, seed=1)


def test_all_problems_are_named_at_once(folder):
    whole = (folder / "roses" / "05.png").read_bytes()
    (folder / "roses" / "05.png").write_bytes(whole[:-30])
    (folder / "lawns" / "07.png").write_bytes(b"<html>not found</html>")
    for name in ("lawns/08.png", "roses/08.png"):
        (folder / name).write_bytes(b"")
    (folder / "lawns" / "09.png").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (folder / "lawns" / "11.png").symlink_to("nowhere.png")
    os.mkfifo(folder / "lawns" / "12.png")
    (folder / "roses" / ".10.png.icloud").write_bytes(b"bplist00")
    write_class(folder, "few", 3, hue=50)
    for number in (1, 2):
        shutil.copy(folder / "roses" / f"0{number}.png", folder / "lawns" / f"rose{number}.png")

    with pytest.raises(DatasetError) as raised:
        image_folder.read(folder, seed=1, side=SIDE)

    said = str(raised.value)
    for name in ("07.png", "05.png"):
        assert f"{name} must be a readable image" in said
    for name in ("lawns/08.png", "roses/08.png"):
        assert f"{name} is empty" in said
    assert "09.png is a pointer of Git LFS" in said
    assert "11.png must be a file, got a broken link" in said
    assert "12.png must be a file, got a device" in said
    assert ".10.png.icloud is not downloaded" in said
    assert said.count("the same image in two classes") == 2
    assert "class few has 3 different images" in said


def test_an_unreadable_file_is_named(folder, monkeypatch):
    opened = Path.open

    def refuse(path, *arguments, **options):
        if path.name == "04.png":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(DatasetError, match=r"04.png must be readable, got: Permission denied"):
        image_folder.read(folder, seed=1, side=SIDE)


def test_subfolders_belong_to_their_class_and_every_ending_of_jpeg_counts(folder):
    write_class(folder / "roses", "red", 4, hue=180, ending="jpg")
    endings = ("jfif", "jpe", "JPEG", "pjpeg")
    for path, ending in zip((folder / "roses" / "red").iterdir(), endings, strict=True):
        path.rename(path.with_suffix(f".{ending}"))

    splits = image_folder.read(folder, seed=1, side=SIDE)

    assert splits.labels == ("lawns", "roses")
    assert sum(len(part.labels) for part in splits[:3]) == 34


def test_images_beside_the_class_folders_are_left_out_and_that_is_said(folder, capsys):
    Image.new("RGB", (9, 9)).save(folder / "loose.png")

    image_folder.read(folder, seed=1, side=SIDE)

    assert "1 images outside the class folders" in capsys.readouterr().err


def test_more_images_than_memory_holds_are_refused_before_they_are_read(folder):
    with pytest.raises(
        DatasetError, match="at most 16 images of 9000 × 9000, which fit into memory, got 30"
    ):
        image_folder.read(folder, seed=1, side=9_000)


def test_of_a_long_image_the_centre_is_kept(tmp_path):
    image = Image.new("RGB", (300, 100), "white")
    image.paste((0, 0, 0), (100, 0, 200, 100))

    assert not image_folder.read_photo(save(tmp_path / "wide.png", image)).any()


def test_a_turned_image_is_set_upright(tmp_path):
    image = Image.new("RGB", (100, 100), "white")
    image.paste((0, 0, 0), (0, 0, 100, 50))
    turned = Image.Exif()
    turned[0x0112] = 3  # by half a turn
    path = save(tmp_path / "turned.jpg", image, exif=turned, quality=95)

    pixels = image_folder.read_photo(path, side=40)

    assert pixels[:18].min() > 200
    assert pixels[-18:].max() < 50


def test_what_is_transparent_is_laid_on_white(tmp_path):
    path = save(tmp_path / "clear.png", Image.new("RGBA", (20, 20), (0, 0, 0, 0)))

    assert (image_folder.read_photo(path, SIDE) == 255).all()


def test_sixteen_bits_become_eight(tmp_path):
    image = Image.fromarray(np.full((20, 20), 100 * 257, np.uint16))

    pixels = image_folder.read_photo(save(tmp_path / "deep.png", image), SIDE)

    assert (pixels == 100).all()


def test_a_large_photo_decoded_small_keeps_its_colours(tmp_path):
    image = Image.new("CMYK", (1_600, 1_200), (0, 255, 255, 0))

    pixels = image_folder.read_photo(save(tmp_path / "large.jpg", image), SIDE)

    assert np.abs(pixels.astype(int) - (255, 0, 0)).max() <= 3
