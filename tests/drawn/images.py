"""Layers over images: their sizes and contrast, and random changes while training."""

from functools import partial

from hypothesis import strategies as st

from tests.drawn.common import FLAGS, KNOWN_OR_NOT, SIZES, some

SEEDS = st.integers(0, 5)
RANGES = st.sampled_from([[0, 1], [0, 255], [-1.0, 1.0]])
FILLS = st.sampled_from(["reflect", "wrap", "constant", "nearest"])
READS = st.sampled_from(["bilinear", "nearest"])
FORMATS = st.sampled_from(["channels_first", "channels_last"])


def one_or_two(low, high):
    number = st.floats(low, high, width=16)
    return st.one_of(number, st.lists(number, min_size=2, max_size=2).map(sorted))


FACTORS = one_or_two(0, 1)
SIGNED = one_or_two(-1, 1)
ZOOMS = one_or_two(-0.9375, 1)
BITS = st.one_of(st.integers(1, 8), st.lists(st.integers(1, 8), min_size=2, max_size=2).map(sorted))

NEEDED = {
    "center_crop": {"height": SIZES, "width": SIZES},
    "random_brightness": {"factor": SIGNED},
    "random_color_degeneration": {"factor": FACTORS},
    "random_contrast": {"factor": FACTORS},
    "random_crop": {"height": SIZES, "width": SIZES},
    "random_hue": {"factor": FACTORS},
    "random_posterization": {"factor": BITS},
    "random_rotation": {"factor": SIGNED},
    "random_saturation": {"factor": FACTORS},
    "random_sharpness": {"factor": FACTORS},
    "random_translation": {"height_factor": SIGNED, "width_factor": SIGNED},
    "random_zoom": {"height_factor": ZOOMS},
    "resizing": {"height": SIZES, "width": SIZES},
}
WARP = {"fill_mode": FILLS, "interpolation": READS, "fill_value": st.just(0.5), "data_format": FORMATS, "seed": SEEDS}
COLOR = {"value_range": RANGES, "seed": SEEDS}
OPTIONAL = {
    "aug_mix": {
        "num_chains": SIZES, "chain_depth": SIZES, "factor": FACTORS, "alpha": st.just(0.5), "interpolation": READS,
        "data_format": FORMATS, **COLOR,
    },
    "auto_contrast": {"value_range": RANGES},
    "center_crop": {"data_format": FORMATS},
    "contrast_limited_adaptive_histogram_equalization": {
        "value_range": RANGES, "clip_limit": st.sampled_from([0.0, 2.0]), "data_format": FORMATS,
        "tile_grid_size": st.one_of(st.integers(1, 4), st.tuples(SIZES, SIZES).map(list)),
    },
    "cut_mix": {"factor": FACTORS, "data_format": FORMATS, "seed": SEEDS},
    "mix_up": {"alpha": st.just(0.5), "data_format": FORMATS, "seed": SEEDS},
    "rand_augment": {
        "num_ops": SIZES, "factor": FACTORS, "interpolation": READS, "data_format": FORMATS, **COLOR,
    },
    "random_brightness": COLOR,
    "random_color_degeneration": {"data_format": FORMATS, **COLOR},
    "random_color_jitter": {
        "brightness_factor": SIGNED, "contrast_factor": FACTORS, "saturation_factor": FACTORS, "hue_factor": FACTORS,
        **COLOR,
    },
    "random_contrast": {"data_format": FORMATS, **COLOR},
    "random_crop": {"data_format": FORMATS, "seed": SEEDS},
    "random_erasing": {
        "factor": FACTORS, "scale": FACTORS, "fill_value": st.just(0.5), "data_format": FORMATS, **COLOR,
    },
    "random_flip": {
        "mode": st.sampled_from(["horizontal", "vertical", "horizontal_and_vertical"]), "data_format": FORMATS,
        "seed": SEEDS,
    },
    "random_gaussian_blur": {
        "factor": FACTORS, "kernel_size": st.sampled_from([1, 3, [3, 5]]), "sigma": FACTORS, "data_format": FORMATS,
        **COLOR,
    },
    "random_grayscale": {"factor": st.floats(0, 1, width=16), "data_format": FORMATS, "seed": SEEDS},
    "random_hue": {"data_format": FORMATS, **COLOR},
    "random_invert": {"factor": FACTORS, "data_format": FORMATS, **COLOR},
    "random_perspective": {
        "factor": FACTORS, "scale": st.floats(0, 1, width=16), "interpolation": READS, "fill_value": st.just(0.5),
        "data_format": FORMATS, "seed": SEEDS,
    },
    "random_posterization": {"data_format": FORMATS, **COLOR},
    "random_rotation": WARP,
    "random_saturation": {"data_format": FORMATS, **COLOR},
    "random_sharpness": {"data_format": FORMATS, **COLOR},
    "random_shear": {"x_factor": FACTORS, "y_factor": FACTORS, **WARP},
    "random_translation": WARP,
    "random_zoom": {"width_factor": ZOOMS, **WARP},
    "resizing": {
        "interpolation": st.sampled_from(["bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5"]),
        "fill_value": st.just(0.5), "fill_mode": st.just("constant"), "antialias": FLAGS, "data_format": FORMATS,
    },
    "solarization": {"addition_factor": FACTORS, "threshold_factor": FACTORS, **COLOR},
}  # fmt: skip
COLORED = {
    "aug_mix", "rand_augment", "random_color_degeneration", "random_color_jitter", "random_grayscale", "random_hue",
    "random_saturation",
}  # fmt: skip
"""Of images whose channels are red, green and blue."""


def image(name, draw):
    arguments = {
        **{key: draw(strategy) for key, strategy in NEEDED.get(name, {}).items()},
        **some(draw, **OPTIONAL[name]),
    }
    channels = draw(st.integers(1, 4))
    if name in COLORED:
        channels = 3
    elif name == "random_erasing" and draw(FLAGS) and arguments.get("data_format") != "channels_first":
        arguments["fill_value"], channels = [0.1, 0.2, 0.3], 3
    if name == "aug_mix" and draw(FLAGS):
        arguments["all_ops"], channels = False, draw(st.integers(1, 4))
    if name == "resizing" and draw(FLAGS):
        arguments[draw(st.sampled_from(["crop_to_aspect_ratio", "pad_to_aspect_ratio"]))] = True
    sizes = [draw(KNOWN_OR_NOT), draw(KNOWN_OR_NOT)]
    if name == "random_color_jitter" and draw(FLAGS):
        arguments = {"brightness_factor": draw(SIGNED), "data_format": "channels_first"}
    if name == "contrast_limited_adaptive_histogram_equalization":
        tiles = arguments.get("tile_grid_size", 8)
        tiles = tiles if isinstance(tiles, list) else [tiles, tiles]
        sizes = [size and max(size, -(-least // 2)) for size, least in zip(sizes, tiles, strict=True)]
    first = arguments.get("data_format") == "channels_first"
    return {name: arguments} if arguments else name, [(None, channels, *sizes) if first else (None, *sizes, channels)]


DRAWS = {name: partial(image, name) for name in OPTIONAL}
