"""Restricted Boltzmann machines, whose hidden units are a dense layer."""

import keras
import numpy as np
from keras import ops


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def binary(x):
    """Units that are on with probability sigmoid(x): this probability, and a sample."""
    probability = sigmoid(x)
    return probability, (np.random.random(x.shape) < probability).astype(x.dtype)


def gaussian(x):
    """Units with normal noise of variance 1: their mean, and a sample."""
    return x, x + np.random.standard_normal(x.shape).astype(x.dtype)


def rectified(x):
    """Noisy rectified linear units (Nair and Hinton, 2010): max(0, x), and a sample."""
    noise = np.sqrt(sigmoid(x)) * np.random.standard_normal(x.shape).astype(x.dtype)
    return np.maximum(0, x), np.maximum(0, x + noise)


def contrastive_divergence(v0, kernel, hidden_bias, visible_bias, hidden, visible, gibbs_steps):
    """A step of CD-k (Hinton, 2002): dW = v0 h(v0) - vk h(vk), vk being what k steps of Gibbs sampling make of v0.

    Returns how kernel and biases move, and the reconstruction error.
    """
    h0, sample = hidden(v0 @ kernel + hidden_bias)
    for _ in range(gibbs_steps):
        vk, _ = visible(sample @ kernel.T + visible_bias)  # the mean, which makes less noise than a sample
        hk, sample = hidden(vk @ kernel + hidden_bias)
    move = (v0.T @ h0 - vk.T @ hk) / len(v0), (h0 - hk).mean(axis=0), (v0 - vk).mean(axis=0)
    return move, ((v0 - vk) ** 2).sum(axis=1).mean()


def pretrain_rbm(layer, x, hidden, visible, optimizer, epochs, batch_size, gibbs_steps=1, weight_decay=0.0):
    """Trains a layer as the hidden units h of a restricted Boltzmann machine (Hinton et al., 2006).

    Visible units v and hidden units h have the energy E(v, h) = -c v - b h - v W h. Returns the weights that lead back.
    """
    visible_bias = keras.Variable(np.zeros(x.shape[1], "float32"), name="visible_bias")
    weights = [layer.kernel, layer.bias, visible_bias]
    optimizer.build(weights)
    for epoch in range(epochs):
        order, errors = np.random.permutation(len(x)), []
        for first in range(0, len(x), batch_size):
            kernel, *biases = (ops.convert_to_numpy(weight) for weight in weights)
            v0 = x[order[first : first + batch_size]]
            (dw, db, dc), error = contrastive_divergence(v0, kernel, *biases, hidden, visible, gibbs_steps)
            gradients = [weight_decay * kernel - dw, -db, -dc]
            optimizer.apply([ops.convert_to_tensor(each) for each in gradients], weights)
            errors.append(error)
        print(f"{layer.name}: epoch {epoch + 1}, reconstruction error {np.mean(errors):.4f}")
    return [ops.convert_to_numpy(layer.kernel).T, ops.convert_to_numpy(visible_bias)]


def pretrain_rbm_by_chains(layer, x, hidden, visible, optimizer, epochs, batch_size, gibbs_steps=1, weight_decay=0.0):
    """Trains a layer as the hidden units h of a restricted Boltzmann machine, by chains that go on from batch to batch
    (PCD; Tieleman, 2008): dW = v0 h(v0) - vk h(vk), vk being where the chains are.

    Visible units v and hidden units h have the energy E(v, h) = -c v - b h - v W h. Returns the weights that lead back.
    """
    visible_bias = keras.Variable(np.zeros(x.shape[1], "float32"), name="visible_bias")
    weights = [layer.kernel, layer.bias, visible_bias]
    optimizer.build(weights)
    chains = np.zeros((batch_size, layer.units), "float32")
    for epoch in range(epochs):
        order, errors = np.random.permutation(len(x)), []
        for first in range(0, len(x), batch_size):
            kernel, b, c = (ops.convert_to_numpy(weight) for weight in weights)
            v0 = x[order[first : first + batch_size]]
            h0, _ = hidden(v0 @ kernel + b)
            for _ in range(gibbs_steps):
                _, vk = visible(chains @ kernel.T + c)
                hk, chains = hidden(vk @ kernel + b)
            move = v0.T @ h0 / len(v0) - vk.T @ hk / len(vk)
            gradients = [
                weight_decay * kernel - move,
                hk.mean(axis=0) - h0.mean(axis=0),
                vk.mean(axis=0) - v0.mean(axis=0),
            ]
            optimizer.apply([ops.convert_to_tensor(each) for each in gradients], weights)
            errors.append(((v0 - visible(h0 @ kernel.T + c)[0]) ** 2).sum(axis=1).mean())
        print(f"{layer.name}: epoch {epoch + 1}, reconstruction error {np.mean(errors):.4f}")
    return [ops.convert_to_numpy(layer.kernel).T, ops.convert_to_numpy(visible_bias)]
