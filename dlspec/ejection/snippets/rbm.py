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


def rbm_epoch(x, weights, hidden, visible, optimizer, batch_size, gibbs_steps, weight_decay):
    """One pass over all samples by contrastive divergence; returns the mean reconstruction error.

    Args:
        weights: kernel, bias of the hidden and bias of the visible units, which move.
    """
    order, errors = np.random.permutation(len(x)), []
    for first in range(0, len(x), batch_size):
        kernel, *biases = (ops.convert_to_numpy(weight) for weight in weights)
        v0 = x[order[first : first + batch_size]]
        (dw, db, dc), error = contrastive_divergence(v0, kernel, *biases, hidden, visible, gibbs_steps)
        gradients = [weight_decay * kernel - dw, -db, -dc]
        optimizer.apply([ops.convert_to_tensor(each) for each in gradients], weights)
        errors.append(error)
    return np.mean(errors)


def pretrain_rbm(layer, x, hidden, visible, optimizer, epochs, batch_size, gibbs_steps=1, weight_decay=0.0):
    """Trains a layer as the hidden units h of a restricted Boltzmann machine (Hinton et al., 2006).

    Visible units v and hidden units h have the energy E(v, h) = -c v - b h - v W h. Returns the weights that lead back.
    """
    visible_bias = keras.Variable(np.zeros(x.shape[1], "float32"), name="visible_bias")
    weights = [layer.kernel, layer.bias, visible_bias]
    optimizer.build(weights)
    for epoch in range(epochs):
        error = rbm_epoch(x, weights, hidden, visible, optimizer, batch_size, gibbs_steps, weight_decay)
        print(f"{layer.name}: epoch {epoch + 1}, reconstruction error {error:.4f}")
    return [ops.convert_to_numpy(layer.kernel).T, ops.convert_to_numpy(visible_bias)]


def chain_epoch(x, chains, weights, hidden, visible, optimizer, batch_size, gibbs_steps, weight_decay):
    """A pass over all samples by chains that go on from batch to batch (PCD; Tieleman, 2008): dW = v0 h(v0) - vk h(vk),
    where vk is what the chains are at. Returns the mean reconstruction error, and the chains.

    Args:
        chains: hidden units, (chains, units).
        weights: kernel, bias of the hidden and bias of the visible units, which move.
    """
    order, errors = np.random.permutation(len(x)), []
    for first in range(0, len(x), batch_size):
        kernel, b, c = (ops.convert_to_numpy(weight) for weight in weights)
        v0 = x[order[first : first + batch_size]]
        h0, _ = hidden(v0 @ kernel + b)
        for _ in range(gibbs_steps):
            _, vk = visible(chains @ kernel.T + c)
            hk, chains = hidden(vk @ kernel + b)
        dw = v0.T @ h0 / len(v0) - vk.T @ hk / len(vk)
        gradients = [
            weight_decay * kernel - dw,
            (hk.mean(axis=0) - h0.mean(axis=0)),
            (vk.mean(axis=0) - v0.mean(axis=0)),
        ]
        optimizer.apply([ops.convert_to_tensor(each) for each in gradients], weights)
        errors.append(((v0 - visible(h0 @ kernel.T + c)[0]) ** 2).sum(axis=1).mean())
    return np.mean(errors), chains


def pretrain_rbm_by_chains(layer, x, hidden, visible, optimizer, epochs, batch_size, gibbs_steps=1, weight_decay=0.0):
    """Trains a layer as the hidden units h of a restricted Boltzmann machine, by persistent contrastive divergence.

    Visible units v and hidden units h have the energy E(v, h) = -c v - b h - v W h. Returns the weights that lead back.
    """
    visible_bias = keras.Variable(np.zeros(x.shape[1], "float32"), name="visible_bias")
    weights, chains = [layer.kernel, layer.bias, visible_bias], np.zeros((batch_size, layer.units), "float32")
    optimizer.build(weights)
    for epoch in range(epochs):
        error, chains = chain_epoch(
            x, chains, weights, hidden, visible, optimizer, batch_size, gibbs_steps, weight_decay
        )
        print(f"{layer.name}: epoch {epoch + 1}, reconstruction error {error:.4f}")
    return [ops.convert_to_numpy(layer.kernel).T, ops.convert_to_numpy(visible_bias)]


class Patience:
    """Ends training when a value no longer falls, and goes back to the weights that were best."""

    def __init__(self, patience, min_delta=0.0, start_from_epoch=0, restore_best_weights=True):
        self.patience, self.min_delta, self.start = max(1, patience), min_delta, start_from_epoch
        self.restore, self.lowest, self.waited, self.best, self.epoch = restore_best_weights, np.inf, 0, None, 0

    def has_ended(self, value, weights):
        """Looks at the value of an epoch; whether it was the last one."""
        self.epoch += 1
        if self.epoch <= self.start:
            return False
        self.waited += 1
        if value < self.lowest - self.min_delta:
            self.lowest, self.waited = value, 0
            self.best = [ops.convert_to_numpy(weight) for weight in weights]
        return self.waited >= self.patience

    def go_back(self, weights):
        for weight, value in zip(weights, self.best or [], strict=False) if self.restore else ():
            weight.assign(value)


def pretrain_rbm_with_patience(
    layer, x, held_out, hidden, visible, optimizer, epochs, batch_size, patience, gibbs_steps=1, weight_decay=0.0
):
    """Trains a layer as the hidden units h of a restricted Boltzmann machine (Hinton et al., 2006), until it gives back
    held-out samples no better.

    Visible units v and hidden units h have the energy E(v, h) = -c v - b h - v W h. Returns the weights that lead back.
    """
    visible_bias = keras.Variable(np.zeros(x.shape[1], "float32"), name="visible_bias")
    weights = [layer.kernel, layer.bias, visible_bias]
    optimizer.build(weights)
    for epoch in range(epochs):
        error = rbm_epoch(x, weights, hidden, visible, optimizer, batch_size, gibbs_steps, weight_decay)
        kernel, b, c = (ops.convert_to_numpy(weight) for weight in weights)
        again, _ = visible(hidden(held_out @ kernel + b)[0] @ kernel.T + c)
        held_out_error = ((held_out - again) ** 2).sum(axis=1).mean()
        print(f"{layer.name}: epoch {epoch + 1}, reconstruction error {error:.4f}, held out {held_out_error:.4f}")
        if patience.has_ended(held_out_error, weights):
            break
    patience.go_back(weights)
    return [ops.convert_to_numpy(layer.kernel).T, ops.convert_to_numpy(visible_bias)]
