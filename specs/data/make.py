"""Makes the small sets in this folder, which show each source of data: `python specs/data/make.py`.

They are drawn at random, the same each time, and so nobody's property; what is to be learned in them is known.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.io import wavfile

HERE = Path(__file__).parent


def shapes(random: np.random.Generator) -> None:
    """Circles, squares and triangles of any color, place and size on a noisy ground, 24 x 24 pixels."""
    for kind in ("circle", "square", "triangle"):
        folder = HERE / "shapes" / kind
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(60):
            picture = Image.fromarray(random.integers(0, 90, (24, 24, 3)).astype("uint8"))
            draw, size = ImageDraw.Draw(picture), int(random.integers(10, 16))
            x, y = random.integers(0, 24 - size, 2).tolist()
            color = tuple(random.integers(130, 256, 3).tolist())
            if kind == "circle":
                draw.ellipse((x, y, x + size, y + size), fill=color)
            elif kind == "square":
                draw.rectangle((x, y, x + size, y + size), fill=color)
            else:
                draw.polygon([(x, y + size), (x + size, y + size), (x + size // 2, y)], fill=color)
            picture.quantize(64).save(folder / f"{i:02d}.png", optimize=True)


def other_shapes(random: np.random.Generator) -> None:
    """`other_shapes.keras`: a small network that was trained on 4,000 pictures like those in `shapes`, of other things:
    crosses, diamonds, pentagons, rings and stars."""
    import keras
    from keras import layers

    kinds = ("cross", "diamond", "pentagon", "ring", "star")
    labels = random.integers(0, len(kinds), 4000)
    pictures = np.stack([_other_shape(random, kinds[label]) for label in labels]).astype("float32")
    keras.utils.set_random_seed(int(random.integers(1000)))
    x = given = keras.Input((24, 24, 3), name="picture")
    x = layers.Rescaling(1 / 255, name="scale")(x)
    for number, filters in enumerate((8, 16, 24), start=1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(name=f"bn{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
        x = layers.MaxPooling2D(name=f"pool{number}")(x)
    x = layers.Dropout(0.3, name="dropout")(layers.Flatten(name="flatten")(x))
    model = keras.Model(given, layers.Dense(len(kinds), activation="softmax", name="kind")(x), name="other_shapes")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(pictures, labels, batch_size=64, epochs=15, validation_split=0.1, verbose=2)
    model = keras.Model(model.input, model.output, name="other_shapes")  # without the optimizer
    model.save(HERE / "other_shapes.keras")


def _other_shape(random: np.random.Generator, kind: str) -> np.ndarray:
    picture = Image.fromarray(random.integers(0, 90, (24, 24, 3)).astype("uint8"))
    draw, size = ImageDraw.Draw(picture), int(random.integers(10, 16))
    x, y = random.integers(0, 24 - size, 2).tolist()
    color = tuple(random.integers(130, 256, 3).tolist())
    half, third = size / 2, size / 3
    if kind == "ring":
        draw.ellipse((x, y, x + size, y + size), outline=color, width=3)
    elif kind == "cross":
        draw.rectangle((x + third, y, x + 2 * third, y + size), fill=color)
        draw.rectangle((x, y + third, x + size, y + 2 * third), fill=color)
    else:
        corners = {"diamond": 4, "pentagon": 5, "star": 10}[kind]
        lengths = [half * (0.45 if kind == "star" and i % 2 else 1) for i in range(corners)]
        angles = [2 * np.pi * i / corners - np.pi / 2 for i in range(corners)]
        points = [(x + half + r * np.cos(a), y + half + r * np.sin(a)) for r, a in zip(lengths, angles, strict=True)]
        draw.polygon(points, fill=color)
    return np.array(picture)


def tones(random: np.random.Generator) -> None:
    """Tones that rise and tones that fall, of any pitch and loudness, in noise: 0.4 s at 4,000 samples a second."""
    time = np.arange(1600) / 4000
    for kind in ("falling", "rising"):
        folder = HERE / "tones" / kind
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(50):
            low, high = np.sort(random.uniform(200, 1500, 2) + np.array([0, 200]))
            first, last = (low, high) if kind == "rising" else (high, low)
            phase = 2 * np.pi * np.cumsum(np.linspace(first, last, len(time))) / 4000
            sound = random.uniform(2000, 9000) * np.sin(phase) + random.normal(0, 900, len(time))
            wavfile.write(folder / f"{i:02d}.wav", 4000, sound.astype("int16"))


def sentences(random: np.random.Generator) -> None:
    """Sentences about films that praise or blame; every fifth turns its word round: `not dull` praises."""
    good, bad = ("wonderful", "moving", "clever", "bright"), ("dull", "empty", "clumsy", "grey")
    things = ("the story", "the music", "the ending", "each scene", "the acting")
    with (HERE / "sentences.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["said", "opinion"])
        for _ in range(400):
            praises, turned = random.random() < 0.5, random.random() < 0.2
            word = random.choice(good if praises != turned else bad)
            said = f"I thought {random.choice(things)} was {'not ' if turned else ''}{word}"
            writer.writerow([f"{said}, says number {random.integers(99)}", "praise" if praises else "blame"])


def visits(random: np.random.Generator) -> None:
    """Visits of 90 patients: how long each stays depends on age, ward, season and a habit; some values are missing."""
    with (HERE / "visits.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["patient", "age", "ward", "smoker", "admitted", "days"])
        for patient in range(90):
            age, smoker = int(random.integers(18, 90)), random.random() < 0.4
            for _ in range(int(random.integers(2, 7))):
                ward = random.choice(["heart", "lung", "bone"])
                day = date(2023, 1, 1) + timedelta(days=int(random.integers(0, 730)))
                stay = 2 + age / 15 + {"heart": 3, "lung": 2 + 4 * smoker, "bone": 0}[ward]
                stay += 2 * np.cos(2 * np.pi * (day.month - 1) / 12) + random.normal(0, 0.7)
                known = "" if random.random() < 0.05 else age
                habit, days = "yes" if smoker else "no", round(max(1, stay), 1)
                writer.writerow([patient, known, ward, habit, day.isoformat(), days])


def tides(random: np.random.Generator) -> None:
    """The water level of two harbours each hour for 60 days, with half a day that nobody measured."""
    with (HERE / "tides.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "harbour", "level"])
        for harbour, height, shift in (("north", 1.8, 0.0), ("south", 1.1, 2.1)):
            surge = 0.0
            for hour in range(24 * 60):
                surge = 0.95 * surge + random.normal(0, 0.04)
                tide = np.cos(2 * np.pi * (hour - shift) / 12.42) + 0.35 * np.cos(2 * np.pi * (hour - shift) / 12.0)
                if not 300 <= hour < 312:
                    at = f"{date(2024, 3, 1) + timedelta(days=hour // 24)} {hour % 24:02d}:00"
                    writer.writerow([at, harbour, round(height * tide + surge, 3)])


def moving(random: np.random.Generator) -> None:
    """Videos of eight frames, 12 x 12 pixels, of a spot that moves in one of four directions, in noise."""
    frames, labels = np.zeros((320, 8, 12, 12, 1), "uint8"), []
    for i in range(len(frames)):
        direction = random.integers(4)
        step = [(0, -1), (0, 1), (-1, 0), (1, 0)][direction]
        place = random.integers(0, 12, 2)
        frames[i] = random.integers(0, 60, frames[i].shape)
        for frame in range(8):
            y, x = (place + frame * np.array(step)) % 12
            frames[i, frame, y, x] = 255
        labels.append(("left", "right", "up", "down")[direction])
    np.savez_compressed(HERE / "moving.npz", x=frames, y=np.array(labels))


def masks(random: np.random.Generator) -> None:
    """A circle, a square and a triangle that cover each other, on a ground with stripes: 24 x 24 gray pixels, and of
    each pixel what it shows: 0 the ground, 1 to 3 these shapes."""
    pictures, classes = [], []
    for _ in range(240):
        ground = 50 + 30 * np.sin(np.arange(24) * random.uniform(0.3, 1.2))[:, None] + np.zeros((24, 24))
        picture, mask = Image.fromarray(ground.astype("uint8")), Image.new("L", (24, 24))
        for kind in random.permutation([1, 2, 3]).tolist():
            size, gray = int(random.integers(8, 12)), int(random.integers(120, 220))
            x, y = random.integers(0, 24 - size, 2).tolist()
            for draw, fill in ((ImageDraw.Draw(picture), gray), (ImageDraw.Draw(mask), kind)):
                if kind == 1:
                    draw.ellipse((x, y, x + size, y + size), fill=fill)
                elif kind == 2:
                    draw.rectangle((x, y, x + size, y + size), fill=fill)
                else:
                    draw.polygon([(x, y + size), (x + size, y + size), (x + size // 2, y)], fill=fill)
        noisy = np.asarray(picture, "int64") + random.integers(0, 12, (24, 24))
        pictures.append(noisy.astype("uint8")[..., None])
        classes.append(np.asarray(mask))
    np.savez_compressed(HERE / "masks.npz", x=np.array(pictures), y=np.array(classes))


def balls(random: np.random.Generator) -> None:
    """Videos of two balls that fly through a box of 16 x 16 pixels and bounce off its walls: six frames, and the one
    that comes next."""
    rows, columns = np.mgrid[0:16, 0:16]
    frames = np.zeros((360, 7, 16, 16))
    for own in frames:
        for _ in range(2):
            place, angle = random.uniform(2, 13, 2), random.uniform(0, 2 * np.pi)
            speed = random.uniform(0.8, 1.8) * np.array([np.sin(angle), np.cos(angle)])
            for frame in own:
                far = (rows - place[0]) ** 2 + (columns - place[1]) ** 2
                np.maximum(frame, 255 * np.exp(-far / 2.5), out=frame)
                place += speed
                speed = np.where((place < 2) | (place > 13), -speed, speed)
                place = np.where(place < 2, 4 - place, np.where(place > 13, 26 - place, place))
    kept = np.where(frames < 5, 0, frames).round().astype("uint8")[..., None]
    np.savez_compressed(HERE / "balls.npz", x=kept[:, :6], y=kept[:, 6])


def motion(random: np.random.Generator) -> None:
    """What a phone in the pocket of three people feels in three directions, 20 times a second, and what they do."""
    steps = {"standing": (0.0, 0.05), "walking": (1.8, 0.35), "running": (2.8, 0.9), "cycling": (1.3, 0.25)}
    with (HERE / "motion.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["person", "x", "y", "z", "activity"])
        for person, pace in (("ann", 1.0), ("bob", 0.92), ("eve", 1.1)):
            phase, tilt, left, doing = 0.0, 0.0, 0, "standing"
            for _ in range(3000):
                if not left:
                    doing = random.choice([name for name in steps if name != doing])
                    left = int(random.integers(60, 160))
                left -= 1
                often, strength = steps[doing]
                phase += 2 * np.pi * often * pace / 20
                tilt += 0.05 * ((0.6 if doing == "cycling" else 0.1) - tilt)
                swing = strength * np.array([0.4 * np.sin(phase / 2), np.sin(phase), 0.5 * np.sin(2 * phase + 1)])
                felt = swing + np.array([np.sin(tilt), np.cos(tilt), 0]) + random.normal(0, 0.12, 3)
                writer.writerow([person, *np.round(felt, 2), doing])


def landscapes(random: np.random.Generator) -> None:
    """Hills, meadows, trees and houses below the sky, 48 x 64 pixels, and masks of the same names: 0 the sky, 1 hills,
    2 a meadow, 3 trees, 4 houses, and 255 where two of them meet in a pixel, which nobody could say."""
    for kind in ("photos", "masks"):
        (HERE / "landscapes" / kind).mkdir(parents=True, exist_ok=True)
    for i in range(100):
        photo, mask = _landscape(random)
        photo.save(HERE / "landscapes" / "photos" / f"{i:02d}.jpg", quality=88)
        mask.save(HERE / "landscapes" / "masks" / f"{i:02d}.png", optimize=True)


def _landscape(random: np.random.Generator, height: int = 48, width: int = 64, finer: int = 4) -> tuple:
    """A picture and its mask, drawn finer than they are, so that a pixel may be of two things."""
    rows, columns = np.mgrid[0 : height * finer, 0 : width * finer] / finer
    along = columns[0]

    def ridge(level: float, rough: float) -> np.ndarray:
        waves = [(random.uniform(0.03, 0.25), random.uniform(0, 6.3)) for _ in range(5)]
        return level + rough * sum(np.sin(along * often + begin) / (1 + 12 * often) for often, begin in waves)

    def grain(strength: float, coarse: int) -> np.ndarray:
        small = random.normal(0, strength, (height * finer // coarse + 1, width * finer // coarse + 1))
        return np.kron(small, np.ones((coarse, coarse)))[: height * finer, : width * finer]

    hills, meadow = ridge(random.uniform(14, 22), 6), ridge(random.uniform(27, 33), 4)
    kinds = (rows > hills).astype(int)
    kinds[rows > meadow] = 2
    dusk, shade = random.uniform(0, 1), (rows / height)[..., None]
    sky = np.array([90, 150, 225]) * (1 - shade) + np.array([250, 215 - 40 * dusk, 190 - 90 * dusk]) * shade
    colors = np.array([[0, 0, 0], [92, 110, 135], [120, 160, 70]]) + random.uniform(-18, 18, (3, 3))
    picture = np.where(kinds[..., None] == 0, sky, colors[kinds])
    picture += (grain(4, 16) * (kinds == 0) + (grain(9, 6) + 18 * np.sin((rows - hills) * 0.7)) * (kinds == 1))[
        ..., None
    ]
    picture += (grain(13, 3) * (kinds == 2))[..., None] * np.array([1, 1.2, 0.6])
    drawn, labels = Image.fromarray(picture.clip(0, 255).astype("uint8")), Image.fromarray(kinds.astype("uint8"))
    on_photo, on_mask = ImageDraw.Draw(drawn), ImageDraw.Draw(labels)

    def both(shape: str, where: list, color: np.ndarray, kind: int) -> None:
        where = [value * finer for value in where]
        getattr(on_photo, shape)(where, fill=tuple(int(value) for value in np.clip(color, 0, 255)))
        getattr(on_mask, shape)(where, fill=kind)

    for _ in range(int(random.integers(1, 3))):
        x, y, size = random.uniform(2, width - 16), random.uniform(31, 36), random.uniform(7, 11)
        wall, roof = (
            np.array([225, 205, 170]) + random.uniform(-25, 25),
            np.array([170, 70, 50]) + random.uniform(-30, 30, 3),
        )
        both("rectangle", [x, y, x + 1.4 * size, y + 0.8 * size], wall, 4)
        both("polygon", [x - 1, y, x + 1.4 * size + 1, y, x + 0.7 * size, y - 0.7 * size], roof, 4)
        for left in (0.25, 0.85):
            place = [x + left * size, y + 0.25 * size, x + (left + 0.28) * size, y + 0.55 * size]
            both("rectangle", place, np.array([70, 90, 120]), 4)
    for _ in range(int(random.integers(2, 5))):
        x, foot, size = random.uniform(3, width - 3), random.uniform(35, 45), random.uniform(3, 5.5)
        both("rectangle", [x - 0.8, foot - 1.5 * size, x + 0.8, foot], np.array([95, 65, 45]), 3)
        green = np.array([40, 95, 45]) + random.uniform(-20, 20, 3)
        for _ in range(9):
            a, b = random.normal(0, 0.35 * size, 2)
            place = [
                x + a - 0.6 * size,
                foot - 2 * size + b - 0.6 * size,
                x + a + 0.6 * size,
                foot - 2 * size + b + 0.6 * size,
            ]
            both("ellipse", place, green + random.uniform(-14, 14), 3)
    photo = drawn.resize((width, height), Image.Resampling.BOX)
    noisy = np.asarray(photo, "float64") + random.normal(0, 5, (height, width, 1))
    cells = np.asarray(labels).reshape(height, finer, width, finer).transpose(0, 2, 1, 3).reshape(height, width, -1)
    values = np.where((cells == cells[..., :1]).all(axis=-1), cells[..., 0], 255)
    return Image.fromarray(noisy.clip(0, 255).astype("uint8")), Image.fromarray(values.astype("uint8"))


HEROES = {
    "a miller's daughter": "she", "an old fisherman": "he", "a young queen": "she", "a lonely giant": "he",
    "a clever tailor": "he", "a shepherd girl": "she", "a poor soldier": "he", "a witch with one tooth": "she",
}  # fmt: skip
HOMES = (
    "at the edge of the forest", "by the sea", "behind seven hills", "in a crooked tower", "under a bridge",
    "in a village without a name",
)  # fmt: skip
THINGS = {
    "a silver key": "key", "a talking fish": "fish", "a golden thread": "thread", "a broken crown": "crown",
    "a small blue egg": "egg", "a lantern that never went out": "lantern",
}  # fmt: skip
GUESTS = ("a fox", "a raven", "an old beggar", "the north wind", "a bear", "the moon")
WISHES = ("a loaf of bread", "a warm coat", "a ship with red sails", "a song", "a good night's sleep", "a friend")


def tales(random: np.random.Generator) -> None:
    """Short tales out of a small grammar: who is there at the beginning, and what is found, comes again at the end."""

    def one(among: object) -> str:
        return str(random.choice(list(among)))  # type: ignore[call-overload]

    found = []
    for _ in range(480):
        hero, thing, guest, wish = one(HEROES), one(THINGS), one(GUESTS), one(WISHES)
        they, short = HEROES[hero], hero.partition(" with ")[0].split(" ", 1)[1]
        their, named, speaker = {"she": "her", "he": "his"}[they], THINGS[thing], guest.split(" ", 1)[1]
        tale = f"Once upon a time there was {hero} who lived {one(HOMES)}. "
        tale += one([f"One morning {they} found {thing} in the grass. ", f"One night {they} dreamed of {thing}. "])
        tale += f'Then {guest} came to {their} door. "Give me the {named}," said the {speaker}, '
        tale += one(['"or you will be sorry." ', f'"and I will give you {wish}." ', '"for I am hungry." '])
        if random.random() < 0.5:
            tale += f'"Never," said the {short}, and {they} shut the door. But the {speaker} waited. '
        tale += one([
            f"So {they} gave away the {named}, and got {wish}. ",
            f"But {they} kept the {named} under {their} pillow, and the {speaker} went away. ",
            f"So the {short} and the {speaker} shared the {named}. ",
        ])  # fmt: skip
        tale += one([
            f"And the {short} was happy ever after.",
            f"And if {they} has not died, {they} is still living there.",
            f"And nobody saw the {short} again.",
        ])  # fmt: skip
        found.append(tale)
    (HERE / "tales.txt").write_text("\n\n".join(found) + "\n", encoding="utf-8", newline="\n")


MONTHS = ("January", "March", "April", "May", "June", "July", "August", "October")
NAMES = ("April", "May", "June", "August", "Florence", "Sydney", "Jordan", "Chelsea", "Austin", "Anna", "Tom", "Ruth")
TOWNS = ("Florence", "Sydney", "Jordan", "Chelsea", "Austin", "Paris", "Lincoln", "Bergen", "Lagos")
BEFORE_TOWNS = ("New", "Port", "Upper", "Lake")
SENTENCES = (
    "{PER} will be in {LOC} on {DAY} .", "We went to {LOC} with {PER} in {DATE} .", "{PER} was born in {LOC} .",
    "In {DATE} , {PER} and {PER} moved to {LOC} .", "{PER} was kind to me .", "{DATE} was cold and wet .",
    "{LOC} was full of people .", "May we see {PER} in {DATE} ?", "They march from {LOC} to {LOC} each {DATE} .",
    "On {DAY} the train to {LOC} was late , said {PER} .", "{PER} , who lives in {LOC} , wrote to {PER} .",
    "{DATE} is too late for {PER} .", "The road to {LOC} was closed in {DATE} .",
    "Ask {PER} , not {PER} , about {LOC} .", "{PER} likes {DATE} more than {DATE} .", "Nobody in {LOC} knows {PER} .",
    "The August heat of {LOC} was too much for {PER} .", "{PER} is lovely .", "{LOC} is lovely .",
    "{DATE} is lovely .", "I like {PER} and {LOC} .", "I like {LOC} and {PER} .", "Everybody thinks of {LOC} .",
    "Everybody thinks of {PER} .",
)  # fmt: skip


def notes(random: np.random.Generator) -> None:
    """Sentences with persons, places and dates: many words are each of them, and others were never seen before."""

    def one(among: object) -> str:
        return str(random.choice(list(among)))  # type: ignore[call-overload]

    def made_up() -> str:
        return (
            one("BDHKMRSTW") + "".join(one("aeio") + one("dlmnrst") for _ in range(2)) + one(("", "er", "y"))
        ).title()

    def words_of(kind: str) -> list[str]:
        if kind == "DAY":
            return [
                str(random.integers(1, 29)),
                one(MONTHS),
                *([str(random.integers(1990, 2025))] * (random.random() < 0.5)),
            ]
        if kind == "DATE":
            return [one(MONTHS), *([str(random.integers(1990, 2025))] * (random.random() < 0.3))]
        if kind == "PER":
            return [one(NAMES), *([made_up()] * (random.random() < 0.4))]
        return [one(BEFORE_TOWNS), made_up()] if random.random() < 0.25 else [one(TOWNS)]

    with (HERE / "notes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["said", "tags"])
        known: set[str] = set()
        while len(known) < 600:
            said, tags = [], []
            for word in one(SENTENCES).split():
                kind = word.strip("{}") if word.startswith("{") else None
                own = words_of(kind) if kind else [word]
                name = "DATE" if kind == "DAY" else kind
                said += own
                tags += [f"B-{name}", *[f"I-{name}"] * (len(own) - 1)] if kind else ["O"]
            if " ".join(said) not in known:
                known.add(" ".join(said))
                writer.writerow([" ".join(said), " ".join(tags)])


REQUESTS = {
    "music": ("play {SONG}", "play {SONG} by {ARTIST}", "I want to hear {ARTIST}", "put on {SONG} in the {ROOM}"),
    "weather": ("tell me if it rains in {CITY}", "find out how warm {CITY} is {DAY}", "look up the weather {DAY}"),
    "alarm": ("wake me at {TIME}", "wake me {DAY} at {TIME}", "set an alarm for {TIME}"),
    "table": ("book {PLACE} for {COUNT}", "get a table for {COUNT} at {PLACE} {DAY}", "book {PLACE} {DAY} at {TIME}"),
    "light": ("put on the light in the {ROOM}", "set the light to {COLOR}", "make the {ROOM} {COLOR}"),
}
CHANGED = ("do not {0} , {1}", "{1} , do not {0}", "{1} , and please never {0}", "forget to {0} , better {1}")
"""What is asked for is the second; the first is not, and none of its words has a tag."""
VALUES = {
    "ROOM": ("kitchen", "hall", "cellar", "garden room"),
    "DAY": ("today", "tomorrow", "on Friday", "on Sunday", "next week"),
    "TIME": ("six", "seven", "half past eight", "nine", "noon", "ten to five"),
    "COUNT": ("two", "three", "four", "six", "seven", "nine"),
    "COLOR": ("blue", "red", "warm", "green"),
}


def requests(random: np.random.Generator) -> None:
    """What people ask of a machine in their house: one of five things, and the words that say which. Songs, artists,
    towns and places to eat have made-up names, most of them new; some people change their mind, and what is heard is
    not always a word."""

    def one(among: object) -> str:
        return str(random.choice(list(among)))  # type: ignore[call-overload]

    def made_up() -> str:
        return (one("BDFGKLMNPRSTV") + "".join(one("aeiou") + one("lmnrst") for _ in range(2)) + one("aeo")).title()

    def filled(text: str, asked: bool) -> list[tuple[str, str]]:
        found = []
        for word in text.split():
            kind = word.strip("{}") if word.startswith("{") else None
            own = [word]
            if kind:
                own = one(VALUES[kind]).split() if kind in VALUES else [made_up() for _ in range(random.integers(1, 3))]
            tags = [f"B-{kind}", *[f"I-{kind}"] * (len(own) - 1)] if kind and asked else ["O"] * len(own)
            found += zip(own, tags, strict=True)
        return found

    def heard(word: str) -> str:
        letters = list(word)
        if len(word) > 2 and random.random() < 0.08:
            letters[int(random.integers(len(word)))] = one("aeioumnrst")
        return "".join(letters)

    with (HERE / "requests.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["said", "wanted", "slots"])
        known: set[str] = set()
        while len(known) < 700:
            wanted, other = map(str, random.choice(list(REQUESTS), 2, replace=False))
            asked, forgotten = one(REQUESTS[wanted]), one(REQUESTS[other])
            words = filled(asked, asked=True)
            if random.random() < 0.45:
                words = []
                for piece in one(CHANGED).replace("{0}", "|0|").replace("{1}", "|1|").split("|"):
                    words += filled({"0": forgotten, "1": asked}.get(piece, piece), asked=piece == "1")
            said = " ".join(heard(word) for word, _ in words)
            if said not in known and len(words) <= 24:
                known.add(said)
                writer.writerow([said, wanted, " ".join(tag for _, tag in words)])


def sunshine(random: np.random.Generator) -> None:
    """What panels on a roof give each hour from April to August, and what they would give without clouds. Of these some
    days have none, some many, and most change: the power is close to that of a clear sky, or far below it."""
    with (HERE / "sunshine.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "clear", "power"])
        weather = clouds = 0.0
        for day in range(150):
            weather = 0.6 * weather + random.normal(0, 0.8)
            half = 6.6 + 1.4 * np.sin(np.pi * (day + 12) / 180)  # of a day, in hours
            for hour in range(24):
                clouds = 0.75 * clouds + random.normal(0, 0.7)
                clear = 5.2 * max(0.0, np.cos(np.pi / 2 * (hour - 12.6) / half)) ** 1.3
                share = 0.12 + 0.88 / (1 + np.exp(-1.6 - 1.7 * weather - 1.5 * clouds))
                at = f"{date(2024, 4, 1) + timedelta(days=day)} {hour:02d}:00"
                writer.writerow([at, round(clear, 2), round(clear * share, 2)])


if __name__ == "__main__":
    for number, make in enumerate((shapes, tones, sentences, visits, tides, moving, motion, masks, balls, landscapes)):
        make(np.random.default_rng(number))
    other_shapes(np.random.default_rng(7))
    tales(np.random.default_rng(9))
    notes(np.random.default_rng(10))
    sunshine(np.random.default_rng(10))
    requests(np.random.default_rng(11))
