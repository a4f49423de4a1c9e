"""What autoencoders are made of."""

import keras
from keras import layers, ops


def input_of_layer(network, name, x):
    """What reaches a layer when the network is given x."""
    return keras.Model(network.inputs, network.get_layer(name).input).predict(x, verbose=0)


def summed_squares(x, z):
    """(x - z)^2, summed over the values of a sample."""
    return ops.sum(ops.reshape(ops.square(x - z), (ops.shape(x)[0], -1)), axis=1)


def cross_entropy(x, logits):
    """-x log z - (1 - x) log(1 - z) with z = sigmoid(logits), summed over the values of a sample."""
    errors = ops.binary_crossentropy(x, logits, from_logits=True)
    return ops.sum(ops.reshape(errors, (ops.shape(x)[0], -1)), axis=1)


def cross_entropy_of_probabilities(x, z):
    """-x log z - (1 - x) log(1 - z), summed over the values of a sample."""
    return ops.sum(ops.reshape(ops.binary_crossentropy(x, z), (ops.shape(x)[0], -1)), axis=1)


class MaskingNoise(layers.Layer):
    """Sets a share of the values to zero while training (Vincent et al., 2008); unlike dropout it scales nothing."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x, training=False):
        if not training:
            return x
        kept = keras.random.uniform(ops.shape(x), seed=self.seed_generator) >= self.rate
        return x * ops.cast(kept, x.dtype)


class SaltAndPepperNoise(layers.Layer):
    """Sets a share of the values to the lowest or the highest one while training (Vincent et al., 2010)."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x, training=False):
        if not training:
            return x
        draw = keras.random.uniform(ops.shape(x), seed=self.seed_generator)
        extreme = ops.where(draw < self.rate / 2, ops.min(x), ops.max(x))
        return ops.where(draw < self.rate, extreme, x)


class TransposedDense(layers.Layer):
    """Leads back with the weights of a dense layer: W^T h + c."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def build(self, input_shape):
        self.visible_bias = self.add_weight(shape=(self.layer.kernel.shape[0],), initializer="zeros")

    def call(self, h):
        return ops.matmul(h, ops.transpose(self.layer.kernel)) + self.visible_bias

    def get_weights(self):
        """Those of a dense layer that does the same."""
        return [ops.convert_to_numpy(self.layer.kernel).T, ops.convert_to_numpy(self.visible_bias)]


class TransposedConvolution(layers.Layer):
    """Leads back with the filters of a convolution."""

    def __init__(self, layer, **settings):
        super().__init__()
        self.layer, self.settings = layer, settings

    def build(self, input_shape):
        self.visible_bias = self.add_weight(shape=(self.layer.kernel.shape[-2],), initializer="zeros")

    def call(self, h):
        return ops.conv_transpose(h, self.layer.kernel, **self.settings) + self.visible_bias

    def get_weights(self):
        """Those of a transposed convolution that does the same."""
        return [ops.convert_to_numpy(self.layer.kernel), ops.convert_to_numpy(self.visible_bias)]


class SparseCode(layers.Layer):
    """Lets units pay for being on more often than a target r: r log(r / q) + (1 - r) log((1 - r) / (1 - q)), q being
    the mean over the batch (Ng, 2011)."""

    def __init__(self, weight, target):
        super().__init__()
        self.weight, self.target = weight, target

    def call(self, h):
        q = ops.clip(ops.mean(h, axis=0), 1e-6, 1 - 1e-6)
        divergence = self.target * ops.log(self.target / q)
        divergence += (1 - self.target) * ops.log((1 - self.target) / (1 - q))
        self.add_loss(self.weight * ops.sum(divergence))
        return h


class SmallCode(layers.Layer):
    """Lets a code h pay for its size: sum |h|."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def call(self, h):
        sizes = ops.sum(ops.reshape(ops.abs(h), (ops.shape(h)[0], -1)), axis=1)
        self.add_loss(self.weight * ops.mean(sizes))
        return h


class ContractiveCode(layers.Layer):
    """Lets the code of a dense layer, h = s(W x + b), pay for following its input (Rifai et al., 2011).

    The penalty is the squared norm of the Jacobian, sum_j s'(a_j)^2 sum_i W_ij^2, with s' of the sigmoid h (1 - h), and
    of tanh 1 - h^2.
    """

    def __init__(self, layer, weight):
        super().__init__()
        self.layer, self.weight = layer, weight

    def call(self, h):
        is_sigmoid = self.layer.activation is keras.activations.sigmoid
        slope = h * (1 - h) if is_sigmoid else 1 - ops.square(h)
        norms = ops.square(slope) * ops.sum(ops.square(self.layer.kernel), axis=0)
        self.add_loss(self.weight * ops.mean(ops.sum(norms, axis=-1)))
        return h


class ContractiveUnits(layers.Layer):
    """Lets a code h of dense units with any activation s pay for following its input x (Rifai et al., 2011).

    The penalty is sum_j s'(a_j)^2 sum_i W_ij^2, with a = W x + b and s'(a) = (s(a + d) - s(a - d)) / 2 d.
    """

    def __init__(self, encoder, weight, step=1e-2):
        super().__init__()
        self.encoder, self.weight, self.step = encoder, weight, step

    def call(self, h, x):
        dense, *others = self.encoder
        drive = ops.matmul(x, dense.kernel) + (dense.bias if dense.use_bias else 0)
        above, below = (dense.activation(drive + step) for step in (self.step, -self.step))
        for layer in others:
            above, below = layer(above), layer(below)
        slope = (above - below) / (2 * self.step)
        norms = ops.square(slope) * ops.sum(ops.square(dense.kernel), axis=0)
        self.add_loss(self.weight * ops.mean(ops.sum(norms, axis=-1)))
        return h


class EstimatedContraction(layers.Layer):
    """Lets a code h pay for following its input x (Rifai et al., 2011), by small steps in random directions e:
    |h(x + d e) - h(x - d e)|^2 / (2 d)^2, whose mean is the squared norm of the Jacobian."""

    def __init__(self, encoder, weight, step=1e-2):
        super().__init__()
        self.encoder, self.weight, self.step = encoder, weight, step
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, h, x, training=False):
        direction = ops.ones_like(x)
        if training:
            direction = keras.random.normal(ops.shape(x), seed=self.seed_generator)
        moved = self.encode(x + self.step * direction) - self.encode(x - self.step * direction)
        norms = ops.sum(ops.reshape(ops.square(moved), (ops.shape(x)[0], -1)), axis=1)
        self.add_loss(self.weight * ops.mean(norms) / (2 * self.step) ** 2)
        return h

    def encode(self, x):
        for layer in self.encoder:
            x = layer(x)
        return x
