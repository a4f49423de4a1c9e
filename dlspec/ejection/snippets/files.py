"""Samples that stand in a file each: pictures, sounds and texts."""

from math import gcd

import cv2
import numpy as np
import simplejpeg
from PIL import Image, ImageOps
from scipy.io import wavfile
from scipy.signal import resample_poly


def files_in(folder, suffixes):
    """The files in a folder itself that end so, in order of their names."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in suffixes and file.name[0] != ".")


def files_below(folder, suffixes):
    """All files below a folder that end so, in order of their names."""
    visible = (file for file in folder.rglob("*") if not any(p.startswith(".") for p in file.relative_to(folder).parts))
    return sorted(file for file in visible if file.suffix.lower() in suffixes and file.is_file())


def files_by_class(folder, suffixes):
    """The files in a folder with a folder for each class, in alphabetical order, and the class of each."""
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    found = [(file, name) for name in names for file in files_below(folder / name, suffixes)]
    return [file for file, _ in found], [name for _, name in found]


def read_picture(file, mode):
    """A picture, upright, (height, width, channels) from 0 to 255.

    Args:
        mode: Pillow's name of its colors, `RGB` or `L`.
    """
    with Image.open(file) as picture:
        upright = ImageOps.exif_transpose(picture)
        values = np.asarray(upright.convert(mode))
    return values.reshape(*values.shape[:2], -1)


def read_deep_picture(file, mode):
    """The same of a picture with 16 bits a channel, of which Pillow would cut off what is above 255."""
    with Image.open(file) as picture:
        if not picture.mode.startswith("I"):
            return read_picture(file, mode)
        values = np.asarray(ImageOps.exif_transpose(picture)) * (255 / 65535)
    eight = Image.fromarray(values.clip(0, 255).round().astype("uint8")).convert(mode)
    return np.asarray(eight).reshape(*values.shape[:2], -1)


def read_jpeg(file, mode, size=None):
    """The same of a JPEG, decoded at a half, a quarter or an eighth of its size where that is enough for a size."""
    content = file.read_bytes()
    rows, columns, _, _ = simplejpeg.decode_jpeg_header(content)
    least = {}
    if size is not None:
        part = next(n for n in (8, 4, 2, 1) if n == 1 or (rows // n >= size[0] and columns // n >= size[1]))
        least = {"min_height": -(-rows // part), "min_width": -(-columns // part)}
    return simplejpeg.decode_jpeg(content, "GRAY" if mode == "L" else mode, **least)


def fast_picture(file, mode, size=None):
    """A picture as `read_picture` gives it, a JPEG as `read_jpeg` does unless it says how it was held."""
    if file.suffix.lower() in (".jpg", ".jpeg") and b"Exif\0\0" not in file.read_bytes():
        return read_jpeg(file, mode, size)
    return read_picture(file, mode)


def stretched(picture, size):
    """A picture brought to a height and a width; a pixel of one less than half as large is the mean of several."""
    smaller = min(size[0] / picture.shape[0], size[1] / picture.shape[1]) < 0.5
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(picture, (size[1], size[0]), interpolation=way).reshape(*size, -1)


def cropped(picture, size):
    """A picture brought to a size without changing its form: what is too wide or too high is cut."""
    scale = max(size[0] / picture.shape[0], size[1] / picture.shape[1])
    whole = stretched(picture, [max(1, round(length * scale)) for length in picture.shape[:2]])
    top, left = (max(0, (whole.shape[i] - size[i]) // 2) for i in (0, 1))
    return whole[top : top + size[0], left : left + size[1]]


def padded(picture, size):
    """A picture brought to a size without changing its form, with black edges."""
    scale = min(size[0] / picture.shape[0], size[1] / picture.shape[1])
    whole = stretched(picture, [max(1, round(length * scale)) for length in picture.shape[:2]])
    top, left = ((size[i] - whole.shape[i] + 1) // 2 for i in (0, 1))
    edged = np.zeros((*size, whole.shape[2]), whole.dtype)
    edged[top : top + whole.shape[0], left : left + whole.shape[1]] = whole
    return edged


def read_sound(file, rate, length):
    """The first `length` samples of a WAV file, from -1 to 1, one channel at one rate; silence behind a shorter one."""
    own, values = wavfile.read(file)
    if values.dtype.kind in "iu":
        values = values.astype("float32") / 2.0 ** (8 * values.dtype.itemsize - 1) - (values.dtype.kind == "u")
    values = values.astype("float32")
    if values.ndim == 2:
        values = values.mean(axis=1)
    if own != rate:
        common = gcd(own, rate)
        values = resample_poly(values, rate // common, own // common).clip(-1, 1)
    kept = np.zeros(length, "float32")
    kept[: len(values)] = values[:length]
    return kept
