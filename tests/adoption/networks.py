"""Models of Keras, of every sort that can be adopted, each by what is odd in it."""

from __future__ import annotations

import keras
import numpy as np
from keras import Input, Model, Sequential, ops
from keras import layers as L


def dense():
    return Sequential([Input((8,)), L.Dense(16, "relu", name="h1"), L.Dropout(0.2), L.Dense(1, "sigmoid")])


def nested():
    inside = [Input((12, 12, 1)), L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU(max_value=6)]
    x = given = Input((12, 12, 1))
    return Model(given, L.Dense(10, "softmax")(L.Flatten()(Sequential(inside, name="encoder")(x))))


def three_levels():
    inner = Sequential([Input((8,)), L.Dense(6, name="dense")], name="a")
    middle = Sequential([Input((8,)), inner, L.Dense(5, name="dense")], name="b")
    return Sequential([Input((8,)), middle, L.Dense(4, name="dense")], name="c")


def tower_used_twice():
    a, b = Input((6,), name="left"), Input((6,), name="right")
    tower = Sequential([Input((6,)), L.Dense(5, "relu"), L.Dense(4)], name="tower")
    return Model([a, b], L.Dense(1, "sigmoid")(L.Subtract()([tower(a), tower(b)])))


def graph_used_twice():
    a, b, given = Input((6,), name="left"), Input((6,), name="right"), Input((6,))
    tower = Model(given, L.Add()([given, L.Dense(6)(L.Dense(6, "relu")(given))]), name="tower")
    return Model([a, b], L.Dense(1, "sigmoid")(L.Multiply()([tower(a), tower(b)])))


def layer_used_thrice():
    given, again = Input((6,)), L.Dense(6, "relu")
    return Model(given, L.Dense(2)(again(again(again(given)))))


def activation_used_thrice():
    given, relu = Input((8,)), L.ReLU()
    return Model(given, L.Dense(3)(relu(L.Dense(8)(relu(L.Dense(8)(relu(L.Dense(8)(given))))))))


def at_each_timestep():
    frame = Sequential([Input((8, 8, 3)), L.Conv2D(4, 3), L.Flatten(), L.Dense(6)], name="frame")
    given = Input((5, 8, 8, 3))
    return Model(given, L.Dense(3, "softmax")(L.LSTM(4)(L.TimeDistributed(frame)(given))))


def both_ways():
    x = given = Input((5, 8))
    x = L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode="sum")(x)
    x = L.Bidirectional(L.GRU(3), backward_layer=L.GRU(3, go_backwards=True, activation="relu"))(x)
    return Model(given, L.Dense(1)(x))


def cells():
    given = Input((5, 8))
    return Model(given, L.Dense(1)(L.RNN([L.LSTMCell(4), L.GRUCell(3)])(given)))


def states_that_nobody_takes():
    given = Input((5, 8))
    out, _, _ = L.LSTM(4, return_state=True)(given)
    return Model(given, L.Dense(1)(out))


def transformer():
    given = Input((10,), dtype="int32")
    x = L.Embedding(50, 8)(given)
    for _ in range(3):
        attended = L.MultiHeadAttention(2, 4, dropout=0.1)(x, x, use_causal_mask=True)
        x = L.LayerNormalization(epsilon=1e-6)(L.Add()([x, attended]))
        x = L.LayerNormalization(epsilon=1e-6)(x + L.Dense(8)(L.Dense(16, "gelu")(x)))
    return Model(given, L.Dense(4, "softmax")(L.GlobalAveragePooling1D()(x)))


def cross_attention():
    given = Input((10, 8))
    memory, x = L.Dense(8)(given), L.Dense(8, "relu")(given)
    for _ in range(4):
        x = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, memory)]))
    return Model(given, L.Dense(5, "softmax")(L.GlobalAveragePooling1D()(x)))


def mapping_of_inputs():
    given = {"b": Input((3,), name="b"), "a": Input((2,), name="a")}
    return Model(given, L.Dense(1)(L.Concatenate()([given["b"], given["a"]])))


def two_outputs():
    a, b = Input((4,), name="a"), Input((2,), name="b")
    hidden = L.Dense(8, "relu")(L.concatenate([a, b]))
    kind, width = L.Dense(3, "softmax", name="kind")(hidden), L.Dense(1, name="width")(L.Dense(4, "tanh")(hidden))
    return Model([a, b], [kind, width])


def mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        given = Input((8,))
        x = L.Dense(16, "relu")(L.Dense(16, "relu")(given))
        return Model(given, L.Dense(3, "softmax", dtype="float32")(x))
    finally:
        keras.config.set_dtype_policy(before)


def one_layer_in_16_bits():
    return Sequential(
        [Input((8,)), L.Dense(16, "relu", dtype="mixed_bfloat16"), L.Dense(3, "softmax", dtype="float32")]
    )


def names_that_the_language_does_not_take():
    given = Input((8,), name="my input")
    return Model(given, L.Dense(3, "softmax", name="probs % (é)")(L.Dense(4, name="1st layer")(given)))


def parts_of_layers():
    given = Input((8, 8, 3))
    x = L.Conv2D(
        4,
        (3, 5),
        dilation_rate=(2, 1),
        kernel_regularizer=keras.regularizers.L1L2(1e-4, 1e-3),
        kernel_constraint=keras.constraints.MaxNorm(3),
        kernel_initializer=keras.initializers.TruncatedNormal(0, 0.02, seed=3),
        bias_initializer=keras.initializers.Constant(0.1),
        activity_regularizer="l1",
    )(given)
    return Model(given, L.Dense(3, "softmax", kernel_initializer="orthogonal")(L.Flatten()(x)))


def frozen():
    given = Input((8, 8, 3))
    base = Sequential([Input((8, 8, 3)), L.Conv2D(4, 3), L.BatchNormalization(), L.Dropout(0.2)], name="base")
    base.trainable = False
    return Model(given, L.Dense(3, "softmax")(L.Flatten()(base(given, training=False))))


def learned_mean():
    scaling = L.Normalization()
    scaling.adapt(np.arange(40, dtype="float32").reshape(10, 4) ** 2)
    return Sequential([Input((4,)), scaling, L.Dense(3)])


def learned_bins():
    bins = L.Discretization(num_bins=4, output_mode="one_hot")
    bins.adapt(np.arange(30, dtype="float32")[:, None])
    return Sequential([Input((1,)), bins, L.Dense(3)])


def learned_numbers():
    lookup = L.IntegerLookup(output_mode="one_hot")
    lookup.adapt(np.array([[3], [5], [9]]))
    return Sequential([Input((1,), dtype="int64"), lookup, L.Dense(3)])


def operations():
    given = Input((4, 4, 3))
    x = 1 - ops.relu(given * 2 - 1) / 3
    y = L.Conv2D(3, 1)(x)
    x = ops.mean(ops.maximum(x, y) + ops.sigmoid(y), axis=(1, 2))
    x = ops.squeeze(ops.transpose(ops.reshape(x, (-1, 3, 1)), (0, 2, 1)), 1)
    return Model(given, L.Dense(2)(ops.softmax(ops.concatenate([x, -x], axis=-1))))


def masked_tokens():
    given = Input((12,))
    x = L.Embedding(30, 6, mask_zero=True)(given)
    x = L.GRU(3)(
        L.Bidirectional(L.LSTM(4, return_sequences=True))(L.Add()([x, L.Embedding(30, 6, mask_zero=True)(given)]))
    )
    return Model(given, L.Dense(1)(x))


def masked_timesteps():
    given = Input((None, 8))
    return Model(given, L.Dense(1)(L.LSTM(4)(L.Masking()(given))))


def autoencoder():
    model = Sequential([Input((16,)), L.Dense(4, "relu"), L.Dense(16)])
    model.compile("sgd", "mse")
    return model


def residual():
    x = given = Input((16, 16, 3))
    x = L.Conv2D(8, 3, padding="same")(x)
    for filters, stride in ((8, 1), (16, 2), (32, 2)):
        for nth in range(3):
            y = L.Conv2D(filters, 3, strides=1 if nth else stride, padding="same")(x)
            y = L.Conv2D(filters, 3, padding="same")(L.Activation("relu")(L.BatchNormalization()(y)))
            y = L.BatchNormalization()(y)
            if nth == 0 and stride > 1:
                x = L.Conv2D(filters, 1, strides=stride)(x)
            x = L.Activation("relu")(L.Add()([x, y]))
    return Model(given, L.Dense(10, "softmax")(L.GlobalAveragePooling2D()(x)))


def unet():
    x = given = Input((16, 16, 3))
    kept = []
    for filters in (4, 8):
        for _ in range(2):
            x = L.Conv2D(filters, 3, padding="same", activation="relu")(x)
        kept.append(x)
        x = L.MaxPooling2D()(x)
    x = L.Conv2D(16, 3, padding="same", activation="relu")(x)
    for filters, beside in zip((8, 4), reversed(kept), strict=True):
        x = L.Concatenate()([beside, L.Conv2DTranspose(filters, 2, strides=2)(x)])
        for _ in range(2):
            x = L.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return Model(given, L.Dense(3, "softmax")(L.GlobalAveragePooling2D()(x)))


def cells_with_two_inputs():
    """As in NASNet: each cell takes what the last two give."""
    given = Input((8, 8, 3))
    before, last = L.Conv2D(6, 1)(given), L.Conv2D(6, 3, padding="same")(given)
    for _ in range(4):
        left = L.Conv2D(6, 3, padding="same", activation="relu")(last)
        right = L.SeparableConv2D(6, 3, padding="same")(before)
        joined = L.Conv2D(6, 1)(L.Concatenate()([L.Add()([left, right]), last]))
        before, last = last, joined
    return Model(given, L.Dense(4, "softmax")(L.GlobalAveragePooling2D()(last)))


def added_to_itself():
    given = Input((8,))
    x = L.Dense(8)(given)
    return Model(given, L.Dense(1)(L.Add()([x, x])))


def channels_first():
    given = Input((3, 8, 8))
    x = L.Conv2D(4, 3, data_format="channels_first")(given)
    return Model(given, L.Dense(1)(L.Flatten(data_format="channels_first")(x)))


def axis_in_the_middle():
    given = Input((8, 4))
    return Model(given, L.Dense(1)(L.Flatten()(L.BatchNormalization(axis=1)(given))))


def transfer():
    base = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(64, 64, 3), alpha=0.35)
    base.trainable = False
    given = Input((64, 64, 3))
    x = Sequential([L.RandomFlip("horizontal"), L.RandomRotation(0.1)], name="augmentation")(given)
    x = base(keras.applications.mobilenet_v2.preprocess_input(x), training=False)
    return Model(given, L.Dense(1, "sigmoid")(L.Dropout(0.2)(L.GlobalAveragePooling2D()(x))))


def wavenet():
    given = Input((64, 8))
    x, kept = L.Conv1D(16, 1)(given), []
    for dilation in (1, 2, 4, 8):
        a = L.Conv1D(16, 2, dilation_rate=dilation, padding="causal", activation="tanh")(x)
        gate = L.Conv1D(16, 2, dilation_rate=dilation, padding="causal", activation="sigmoid")(x)
        kept.append(L.Conv1D(16, 1)(L.Multiply()([a, gate])))
        x = L.Add()([x, kept[-1]])
    return Model(given, L.Dense(1)(L.GlobalAveragePooling1D()(L.Add()(kept))))


def softmax_of_its_own():
    return Sequential([Input((8,)), L.Dense(4), L.Softmax()])


def numbers_of_users_and_films():
    given = [Input((1,), name=name, dtype="int64") for name in ("user", "film")]
    vectors = [L.Flatten()(L.Embedding(count, 8)(x)) for count, x in zip((50, 70), given, strict=True)]
    return Model(given, L.Dense(1)(L.Dot(1)(vectors)))


def slices_of_tensors():
    x = given = Input((6, 8))
    first, last, every = x[:, 0], x[:, -1, :], x[:, 1:5:2, ..., None]
    rest = ops.squeeze(ops.mean(every[..., 0], axis=1, keepdims=True)[:, None], (1, 2))
    return Model(given, L.Dense(1)(ops.concatenate([first, last, x[:, 2, 3:40], rest], axis=-1)))


def operations_on_axes():
    given = Input((6, 8))
    a, b = ops.split(given, 2, axis=-1)
    x = a * ops.sigmoid(b)
    x = ops.matmul(ops.softmax(ops.einsum("btc,bsc->bts", x, x)), ops.split(given, [3, 7], axis=2)[1])
    x = ops.logsumexp(ops.stack([x, ops.square(x), ops.abs(x) ** 0.5], axis=2), axis=2)
    x = ops.roll(ops.clip(x, -1, 1), 2, axis=1)
    parts = [ops.sum(x, axis=1), ops.var(x, axis=1), ops.std(x, axis=1), ops.max(x, axis=1), ops.log(ops.exp(x[:, 0]))]
    deep = 1 / (1 + ops.sqrt(ops.amin(ops.cos(x) + 2, axis=(1,))))
    return Model(given, L.Dense(1)(ops.concatenate([*parts, deep, ops.sin(ops.rsqrt(deep))], axis=-1)))


ADOPTED = [
    dense, nested, three_levels, tower_used_twice, graph_used_twice, layer_used_thrice, activation_used_thrice,
    at_each_timestep, both_ways, cells, states_that_nobody_takes, transformer, cross_attention, mapping_of_inputs,
    two_outputs, mixed_precision, one_layer_in_16_bits, names_that_the_language_does_not_take, parts_of_layers, frozen,
    learned_mean, learned_bins, learned_numbers, operations, masked_tokens, masked_timesteps, autoencoder, residual,
    unet, transfer, wavenet, softmax_of_its_own, numbers_of_users_and_films,
    slices_of_tensors, operations_on_axes, cells_with_two_inputs, added_to_itself, channels_first, axis_in_the_middle,
]  # fmt: skip


class Scale(L.Layer):
    """A layer of one's own."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.factor


def own_layer_inside():
    given = Input((4,))
    encoder = Model(given, Scale(name="scale")(L.Dense(3)(given)), name="encoder")
    return Model(given, L.Dense(1)(ops.cumsum(encoder(given), axis=1)))


def lambdas():
    twice, thrice = L.Lambda(lambda x: x * 2, name="twice"), L.Lambda(lambda x: x * 3, name="thrice")
    return Sequential([Input((4,)), twice, L.Dense(2), thrice])


def stateful():
    given = Input((5, 8), batch_size=4)
    return Model(given, L.Dense(1)(L.LSTM(4, stateful=True, name="reader")(given)))


def states_taken():
    given = Input((5, 8))
    _, h, c = L.LSTM(4, return_state=True)(given)
    return Model(given, L.Dense(1)(L.LSTM(4, name="writer")(given, initial_state=[h, c])))


def always_training():
    given = Input((8,))
    return Model(given, L.Dense(1)(L.Dropout(0.3, name="always")(given, training=True)))


def sample_taken():
    given = Input((4, 8), name="given")
    return Model(given, L.Dense(1)(L.Flatten()(given[:, ::-1])), name="turned")


def batch_summed():
    given = Input((8,))
    return Model(given, L.Dense(1)(given - ops.mean(given, axis=0, keepdims=True)))


def mask_by_hand():
    given = Input((12,))
    embedded = L.Embedding(30, 6)(given)
    return Model(given, L.Dense(1)(L.LSTM(4, name="reader")(embedded, mask=ops.not_equal(given, 0))))


def words():
    lookup = L.TextVectorization(output_sequence_length=5, name="words")
    lookup.adapt(["a b c", "d e"])
    return Sequential([Input((1,), dtype="string", name="said"), lookup, L.Embedding(10, 4), L.Flatten(), L.Dense(1)])


def attention_shared():
    given = Input((5, 8))
    attend, other = L.MultiHeadAttention(2, 4, name="attend"), L.Dense(8)(given)
    x = attend(given, other)
    return Model(given, L.Dense(1)(attend(x, other)))


def picture_beside_numbers():
    a, b = Input((8, 8, 3), name="image"), Input((4,), name="rest")
    return Model([a, b], L.Dense(1)(L.concatenate([L.Flatten()(a), b])), name="both")


def not_built():
    return Sequential([L.Dense(3)], name="loose")


def outputs_on_inputs():
    given = Input((4,))
    return Model(given, [L.Dense(1, name="a")(given), L.Dense(1, name="b")(given)], name="direct")


def quantized():
    model = Sequential([Input((8,)), L.Dense(16, "relu", name="hidden"), L.Dense(10)])
    for layer in model.layers:
        layer.quantize("int8")
    return model


class Subclassed(Model):
    """A model whose code connects its layers."""

    def __init__(self):
        super().__init__(name="own")
        self.inner = L.Dense(2)

    def call(self, x):
        return self.inner(x)


def subclassed():
    model = Subclassed()
    model(np.zeros((1, 3), "float32"))
    return model


REFUSED = [
    (own_layer_inside, {"encoder/scale": "Scale`, which is code of its own", "cumsum": "`keras.ops.cumsum`"}),
    (lambdas, {"twice": "`Lambda`: a spec holds no code", "thrice": "`Lambda`: a spec holds no code"}),
    (stateful, {"reader": "`stateful: true`"}),
    (states_taken, {"writer": "it begins with states that it is given"}),
    (always_training, {"always": "`training=True`"}),
    (sample_taken, {"get_item": "turns an axis round"}),
    (batch_summed, {"mean": "axis 0 is the batch"}),
    (mask_by_hand, {"reader": "called with `mask`"}),
    (words, {"said": "it takes text"}),
    (attention_shared, {"attend": "several times to several inputs"}),
    (picture_beside_numbers, {"both": "(samples, 8, 8, 3) beside other inputs"}),
    (outputs_on_inputs, {"direct": "no layer between"}),
    (not_built, {"loose": "build it first"}),
    (quantized, {"hidden": "before quantizing"}),
    (subclassed, {"Subclassed": "a class of its own"}),
]  # fmt: skip
"""Model, and what is said of which layers."""
