"""Saved Keras networks of one's own, for specs that take them over."""

import keras
import numpy as np
from keras import layers as L

SIDE = 8


def backbone(**pool):
    """Convolutions with batch normalization, whose means and variances are those of data that it has seen."""
    keras.utils.set_random_seed(4)
    given = keras.Input((SIDE, SIDE, 1), name="picture")
    x = L.Conv2D(4, 3, padding="same", use_bias=False, name="conv1")(given)
    x = L.BatchNormalization(momentum=0.5, name="bn1")(x)
    x = skipped = L.ReLU(name="relu1")(x)
    x = L.Conv2D(4, 3, padding="same", name="conv2")(x)
    x = L.BatchNormalization(momentum=0.5, name="bn2")(x)
    x = L.Add(name="added")([skipped, x])
    x = L.MaxPooling2D(name="pool5")(x)
    x = L.Flatten(name="flat")(x)
    x = L.Dense(3, activation="softmax", name="head")(x)
    model = keras.Model(given, x, name="backbone")
    model.compile("adam", "sparse_categorical_crossentropy")
    random = np.random.default_rng(5)
    model.fit(random.uniform(0, 16, (32, SIDE, SIDE, 1)), random.integers(0, 3, 32), epochs=2, verbose=0)
    return model


def saved_backbone(folder, name="backbone.keras"):
    """The file, and the model in it."""
    model = backbone()
    model.save(folder / name)
    return folder / name, model
