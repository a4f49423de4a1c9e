"""Numbers, categories, vocabularies and sound."""

from hypothesis import strategies as st

from tests.drawn.common import FLAGS, KNOWN_OR_NOT, SIZES, UNITS, shape, some

NUMBERS = st.floats(-3, 3, width=16)
WORDS = ["a", "b", "c", "d", "e", "f"]


def normalization(draw):
    given = shape(draw, draw(st.integers(1, 3)))
    rank = len(given)
    known = [axis for axis in range(rank) if given[axis] is not None]
    axes = draw(st.lists(st.sampled_from(known), min_size=1, unique=True)) if known and draw(FLAGS) else None
    arguments = {"axis": axes and [axis - rank if draw(FLAGS) else axis for axis in axes]}
    if axes and len(axes) == 1 and draw(FLAGS):
        arguments["axis"] = arguments["axis"][0]
    size = draw(st.sampled_from([None, 1, given[max(axes)]])) if axes else None
    if given[-1] is not None and draw(FLAGS):
        del arguments["axis"]
        size = draw(st.sampled_from([None, 1, given[-1]]))
    for key in ("mean", "variance"):
        arguments[key] = abs(draw(NUMBERS)) if size is None else [abs(draw(NUMBERS)) for _ in range(size)]
    return {"normalization": {**arguments, **some(draw, invert=FLAGS)}}, [given]


def rescaling(draw):
    given = shape(draw, draw(st.integers(1, 3)))
    sizes = [None, 1] + [given[-1]] * (given[-1] is not None)

    def numbers():
        size = draw(st.sampled_from(sizes))
        return draw(NUMBERS) if size is None else [draw(NUMBERS) for _ in range(size)]

    return {"rescaling": {"scale": numbers(), **({"offset": numbers()} if draw(FLAGS) else {})}}, [given]


def categories(draw, mode):
    """A shape of categories that may be encoded in this way."""
    if mode == "one_hot":
        return (*shape(draw, draw(st.integers(1, 3)))[:-1], draw(st.sampled_from([1, 1, 2, 5])))
    return (None, draw(KNOWN_OR_NOT)) if mode != "int" else shape(draw, draw(st.integers(1, 3)))


def category_encoding(draw):
    mode = draw(st.sampled_from(["multi_hot", "one_hot", "count"]))
    return {"category_encoding": {"num_tokens": draw(SIZES), "output_mode": mode}}, [categories(draw, mode)]


MODES = st.sampled_from(["int", "one_hot", "multi_hot", "count"])


def discretization(draw):
    mode = draw(MODES)
    boundaries = sorted(draw(st.lists(NUMBERS, min_size=1, max_size=5, unique=True)))
    return {"discretization": {"bin_boundaries": boundaries, "output_mode": mode}}, [categories(draw, mode)]


def hashing(draw):
    mode = draw(MODES)
    arguments = {
        "num_bins": draw(SIZES),
        "output_mode": mode,
        **some(draw, mask_value=st.sampled_from([0, 7, "none"]), salt=st.sampled_from([3, [3, 4]])),
    }
    given = (*draw(st.sampled_from([(None,), (None, 3), (None, None)])), 1) if mode == "one_hot" else None
    return {"hashing": arguments}, [given or categories(draw, mode)]


def hashed_crossing(draw):
    arguments = {"num_bins": draw(SIZES), **some(draw, output_mode=st.sampled_from(["int", "one_hot"]))}
    return {"hashed_crossing": arguments}, [(None, 1), (None, 1)]


def lookup(draw, tokens, special, **others):
    mode = draw(st.sampled_from(["int", "one_hot", "multi_hot", "count", "tf_idf"]))
    vocabulary = draw(st.lists(st.sampled_from(tokens), min_size=1, max_size=5, unique=True))
    arguments = {"output_mode": mode, **some(draw, num_oov_indices=st.integers(0, 3), **others)}
    if draw(FLAGS):
        arguments["mask_token"] = special[0]
    unknown = [special[1]] * arguments.get("num_oov_indices", 1)
    masks = [special[0]] if mode == "int" and "mask_token" in arguments else []
    size = len(masks) + len(unknown) + len(vocabulary)
    if draw(FLAGS):
        arguments["max_tokens"] = max(2, size + draw(st.integers(0, 4)))
        arguments |= some(draw, pad_to_max_tokens=FLAGS)
    if draw(FLAGS):
        arguments["oov_token"] = special[1]
        vocabulary = masks + unknown + vocabulary
    if mode == "int":
        arguments |= some(draw, invert=FLAGS)
    if mode == "tf_idf":
        arguments["idf_weights"] = [0.5] * len(vocabulary)
    return {**arguments, "vocabulary": vocabulary}, [categories(draw, mode)]


def integer_lookup(draw):
    arguments, shapes = lookup(
        draw, [10, 20, 30, 40, 50], (0, -1), oov_method=st.sampled_from(["floormod", "farmhash"])
    )
    if arguments.get("oov_method") == "farmhash":
        arguments |= some(draw, salt=st.sampled_from([3, [3, 4]]))
    return {"integer_lookup": arguments}, shapes


def string_lookup(draw):
    arguments, shapes = lookup(draw, WORDS, ("none", "[UNK]"), salt=st.sampled_from([3, [3, 4]]))
    return {"string_lookup": {**arguments, **some(draw, encoding=st.just("utf-8"))}}, shapes


def text_vectorization(draw):
    mode = draw(st.sampled_from(["int", "multi_hot", "count", "tf_idf"]))
    vocabulary = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5, unique=True))
    if draw(FLAGS):
        vocabulary = (["", "[UNK]"] if mode == "int" else ["[UNK]"]) + vocabulary
    arguments = {
        "output_mode": mode,
        "vocabulary": vocabulary,
        **some(
            draw,
            standardize=st.sampled_from(["lower_and_strip_punctuation", "lower", "strip_punctuation", None]),
            split=st.sampled_from(["whitespace", "character", None]),
            ngrams=st.sampled_from([1, 2, [1, 3], [2]]),
        ),
    }
    if draw(FLAGS):
        arguments["max_tokens"] = len(vocabulary) + 2 + draw(st.integers(0, 4))
        arguments |= some(draw, pad_to_max_tokens=FLAGS)
    if mode == "tf_idf":
        arguments["idf_weights"] = [0.5] * len(vocabulary)
    if mode == "int":
        arguments |= some(draw, output_sequence_length=SIZES)
    split = arguments.get("split", "whitespace") is not None
    return {"text_vectorization": arguments}, [(None, 1) if split else (None, draw(KNOWN_OR_NOT))]


def mel_spectrogram(draw):
    length = 2 * draw(st.integers(1, 40))
    step = draw(st.integers(2, 30))
    samples = draw(st.one_of(st.none(), st.integers(length // 2 + 1, 300)))
    if samples is not None and (samples + 1) % step == 0:
        samples += 1
    arguments = {
        "fft_length": length,
        "sequence_stride": step,
        **some(
            draw,
            num_mel_bins=UNITS,
            sequence_length=st.integers(1, length),
            window=st.sampled_from(["hann", "hamming", None]),
            sampling_rate=st.sampled_from([8000, 16000]),
            min_freq=st.sampled_from([0.0, 50.0]),
            max_freq=st.sampled_from([2000.0]),
            power_to_db=FLAGS,
        ),
    }
    return {"mel_spectrogram": arguments}, [(None, samples)]


def stft_spectrogram(draw):
    frame = draw(st.integers(3, 9))
    arguments = {
        "frame_length": frame,
        **some(
            draw,
            mode=st.sampled_from(["log", "magnitude", "psd", "real", "imag", "angle", "stft"]),
            frame_step=st.integers(1, frame),
            fft_length=st.sampled_from([16, 32]),
            window=st.sampled_from(["hann", "hamming", "blackman", "bartlett", "boxcar", "cosine", "nuttall", None]),
            periodic=FLAGS,
            scaling=st.sampled_from(["density", "spectrum", None]),
            padding=st.sampled_from(["valid", "same"]),
            expand_dims=FLAGS,
            data_format=st.sampled_from(["channels_first", "channels_last"]),
        ),
    }
    low = 1 if arguments.get("padding") == "same" else frame
    sizes = [draw(st.one_of(st.none(), st.integers(low, 30))), draw(UNITS)]
    first = arguments.get("data_format") == "channels_first"
    return {"stft_spectrogram": arguments}, [(None, *(reversed(sizes) if first else sizes))]


DRAWS = {
    "category_encoding": category_encoding,
    "discretization": discretization,
    "hashed_crossing": hashed_crossing,
    "hashing": hashing,
    "integer_lookup": integer_lookup,
    "mel_spectrogram": mel_spectrogram,
    "normalization": normalization,
    "rescaling": rescaling,
    "stft_spectrogram": stft_spectrogram,
    "string_lookup": string_lookup,
    "text_vectorization": text_vectorization,
}
