"""Data that are generated, and texts out of numbers of words."""

import keras
import numpy as np

# --- points in the plane


def spirals(samples, turns, noise, seed):
    """Points on two spirals wound around each other, (samples, 2), and the spiral of each, (samples,) (after Lang and
    Witbrock, 1988)."""
    random = np.random.default_rng(seed)
    spiral = np.arange(samples) % 2
    distance = np.sqrt(random.uniform(0.005, 1.0, samples))  # even density over the disc
    angle = distance * turns * 2 * np.pi + spiral * np.pi
    points = distance[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + random.normal(0, noise, points.shape), spiral


def inverse_problem(samples, noise, seed):
    """Points x = t + 0.3 sin(2 pi t) with evenly distributed noise, (samples, 1), and t, (samples,) (Bishop, 1994)."""
    random = np.random.default_rng(seed)
    t = random.uniform(0, 1, samples)
    return (t + 0.3 * np.sin(2 * np.pi * t) + random.uniform(-noise, noise, samples))[:, np.newaxis], t


def moons(samples, noise, seed):
    """Points on two half moons that reach into each other, (samples, 2), and the moon of each, (samples,)."""
    random = np.random.default_rng(seed)
    moon = np.arange(samples) % 2
    angle = random.uniform(0, np.pi, samples)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    points = np.where(moon[:, np.newaxis] == 0, upper, lower)
    return points + random.normal(0, noise, points.shape), moon


def circles(samples, noise, factor, seed):
    """Points on a circle of radius 1 and one of radius `factor` inside it, (samples, 2), and the circle of each,
    (samples,)."""
    random = np.random.default_rng(seed)
    circle = np.arange(samples) % 2
    angle = random.uniform(0, 2 * np.pi, samples)
    radius = np.where(circle == 0, 1.0, factor)
    points = radius[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + random.normal(0, noise, points.shape), circle


def xor(samples, noise, seed):
    """Points in the four quadrants, (samples, 2), and whether just one coordinate of each is above zero, (samples,)
    (Minsky and Papert, 1969)."""
    random = np.random.default_rng(seed)
    just_one = np.arange(samples) % 2
    x, y = random.uniform(0.02, 1, (2, samples))
    right = random.integers(0, 2, samples) == 1
    above = right ^ (just_one == 1)
    points = np.stack([np.where(right, x, -x), np.where(above, y, -y)], axis=1)
    return points + random.normal(0, noise, points.shape), just_one


# --- series


def sine(samples, period, noise, seed):
    """A sine wave of `period` timesteps, (samples,)."""
    random = np.random.default_rng(seed)
    phase = random.uniform(0, 2 * np.pi)
    return np.sin(2 * np.pi * np.arange(samples) / period + phase) + random.normal(0, noise, samples)


def mackey_glass(samples, tau, noise, seed):
    """The equation dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t) at whole times, (samples,) (Mackey and
    Glass, 1977); integrated by the fourth-order Runge-Kutta method."""
    random = np.random.default_rng(seed)
    per_time, warm_up = 10, 200
    delay, step = tau * per_time, 1 / per_time
    x = np.empty(delay + 1 + (samples + warm_up) * per_time)
    x[: delay + 1] = 1.2 + 0.2 * random.uniform(-1, 1)

    def slope(now, before):
        return 0.2 * before / (1 + before**10) - 0.1 * now

    for i in range(delay, len(x) - 1):
        before, after = x[i - delay], x[i - delay + 1]
        middle = (before + after) / 2
        k1 = slope(x[i], before)
        k2 = slope(x[i] + step / 2 * k1, middle)
        k3 = slope(x[i] + step / 2 * k2, middle)
        k4 = slope(x[i] + step * k3, after)
        x[i + 1] = x[i] + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    values = x[delay + 1 :: per_time][warm_up : warm_up + samples]
    return values + random.normal(0, noise, samples)


# --- sequences and pictures


def adding_problem(timesteps, samples, seed):
    """Sequences of numbers, two of which are marked, (samples, timesteps, 2), and the sum of the two, (samples,)
    (Hochreiter and Schmidhuber, 1997)."""
    random = np.random.default_rng(seed)
    half, rows = timesteps // 2, np.arange(samples)
    sequences = np.zeros((samples, timesteps, 2), "float32")
    sequences[:, :, 0] = random.uniform(size=(samples, timesteps))
    first, second = random.integers(0, half, samples), random.integers(half, timesteps, samples)
    sequences[rows, first, 1] = sequences[rows, second, 1] = 1
    return sequences, sequences[rows, first, 0].astype("float64") + sequences[rows, second, 0]


def copy_memory(bits, delay, samples, seed):
    """Sequences of random bits, blank timesteps and a mark, (samples, bits + delay + 1, 2), and the bits, (samples,
    bits) (Hochreiter and Schmidhuber, 1997)."""
    shown = np.random.default_rng(seed).integers(0, 2, (samples, bits))
    sequences = np.zeros((samples, bits + delay + 1, 2), "float32")
    sequences[:, :bits, 0] = 2 * shown - 1
    sequences[:, -1, 1] = 1
    return sequences, shown


def sums(digits, samples, seed):
    """Pairs of whole numbers of up to so many digits, none twice, (samples, 2), and the sum of each, (samples,)."""
    random = np.random.default_rng(seed)
    samples = min(samples, 10 ** (2 * digits))
    pairs = np.empty((0, 2), "int64")
    while len(pairs) < samples:
        lengths = random.integers(1, digits + 1, (2 * samples, 2))
        drawn = random.integers(np.where(lengths == 1, 0, 10 ** (lengths - 1)), 10**lengths)
        pairs = np.concatenate([pairs, drawn])
        pairs = pairs[np.sort(np.unique(pairs, axis=0, return_index=True)[1])]
    pairs = pairs[:samples].astype("float64")
    return pairs, pairs.sum(axis=1)


def digit_strips(digits, samples, seed):
    """Strips of up to so many handwritten digits, (samples, 8, columns), and how many they are, less one, (samples,)
    (Alpaydin and Kaynak, 1998); the last rows are held out, of other pictures."""
    from sklearn.datasets import load_digits

    pictures, random = load_digits().images, np.random.default_rng(seed)
    width = -(-(digits * 8 + (digits - 1) * 6 // 2) // 4) * 4
    parts = np.split(random.permutation(len(pictures)), [1097, 1297])
    held_out = samples // 10, samples // 4
    counts = samples - sum(held_out), *held_out
    strips, count = np.zeros((samples, 8, width)), np.zeros(samples, "int64")
    for row, there in enumerate(part for part, rows in zip(parts, counts, strict=True) for _ in range(rows)):
        chosen = random.choice(there, random.integers(1, digits + 1))
        gaps = random.integers(-2, 7, len(chosen) - 1)
        while gaps.sum() > width - 8 * len(chosen):
            gaps = random.integers(-2, 7, len(chosen) - 1)
        first = random.integers(0, width - 8 * len(chosen) - gaps.sum() + 1)
        for digit, gap in zip(chosen, [*gaps, 0], strict=True):
            place = strips[row, :, first : first + 8]
            np.maximum(place, pictures[digit], out=place)
            first += 8 + gap
        count[row] = len(chosen) - 1
    return strips, count


def rectangles(samples, side, seed):
    """Pictures of the outline of a rectangle, (samples, side, side), and whether it is wider than high, (samples,)
    (after Larochelle et al., 2007)."""
    random = np.random.default_rng(seed)
    pictures, wide = np.zeros((samples, side, side), "uint8"), np.zeros(samples, "int64")
    for i, picture in enumerate(pictures):
        width = height = 0
        while abs(width - height) < 3:
            height, width = random.integers(2, side + 1, 2)
        top, left = random.integers(0, side - height + 1), random.integers(0, side - width + 1)
        bottom, right = top + height - 1, left + width - 1
        picture[top : bottom + 1, [left, right]] = picture[[top, bottom], left : right + 1] = 1
        wide[i] = width > height
    return pictures, wide


# --- sets that Keras fetches


def kept_by_keras(name, sha256):
    """Where Keras keeps a file of its datasets, which it fetches once."""
    origin = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
    return keras.utils.get_file(name, origin + name, file_hash=sha256)


def as_texts(numbered, word_index):
    """Texts, (samples,), out of the numbers of their words.

    Args:
        numbered: of each text, the numbers of its words.
        word_index: word -> its number.
    """
    words = {number: word for word, number in word_index.items()}
    return np.array([" ".join(words.get(number, "") for number in text) for text in numbered], object)
