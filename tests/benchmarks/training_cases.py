"""Networks with structure whose speed is compared: a transformer, a language model, a U-Net, two outputs.

Each as a spec, in Keras and in PyTorch, with the same numbers of units and weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Structured:
    """A network with structure, its samples and its batches.

    Args:
        shape: of a sample.
        classes: of each target; 0: a number.
        places: the axes of a sample at which there is a class, () for one class of it all.
    """

    name = ""
    batch = 64
    samples = 4_096
    shape: tuple[int, ...] = ()
    classes: tuple[int, ...] = ()
    places: tuple[int, ...] = ()
    data = "scale: none"
    """Keys of `data` besides the arrays and the split."""
    model = ""
    """In YAML, all of what stands under `model`."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self.x = self.drawn(random, self.samples)
        self.targets = [
            random.integers(0, count, (self.samples, *self.places)) if count else self.numbers(random)
            for count in self.classes
        ]

    def drawn(self, random: np.random.Generator, count: int) -> np.ndarray:
        return random.normal(size=(count, *self.shape)).astype("float32")

    def numbers(self, random: np.random.Generator) -> np.ndarray:
        return random.normal(size=self.samples).astype("float32")

    def keras_model(self) -> Any:
        """Not compiled; puts out a softmax for each target of classes."""
        raise NotImplementedError

    def torch_model(self) -> Any:
        """Puts out a tensor for each target, logits for classes, classes on the last axis."""
        raise NotImplementedError


WIDTH, HEADS, WIDER = 64, 4, 128
STEPS = 50


class Transformer(Structured):
    name = f"two transformer blocks, {STEPS} timesteps x {WIDTH}, batch 64"
    shape, classes = (STEPS, 8), (10,)
    samples = 3_200
    model = f"""
  - dense: {WIDTH}
  - repeat:
      times: 2
      layers:
        - skip: [layer_normalization, {{multi_head_attention: {{num_heads: {HEADS}, key_dim: {WIDTH // HEADS}}}}}]
        - skip: [layer_normalization, {{dense: {{units: {WIDER}, activation: relu}}}}, {{dense: {WIDTH}}}]
  - global_average_pooling1d
  - output
"""

    def keras_model(self) -> Any:
        from keras import Input, Model, layers

        x = entry = Input(self.shape)
        x = keras_blocks(layers.Dense(WIDTH)(x), causal=False)
        return Model(entry, layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling1D()(x)))

    def torch_model(self) -> Any:
        from torch import nn

        class Mean(nn.Module):
            def forward(self, x):
                return x.mean(1)

        return nn.Sequential(nn.Linear(8, WIDTH), *torch_blocks(causal=False), Mean(), nn.Linear(WIDTH, 10))


CHARACTERS = 64


class LanguageModel(Structured):
    name = f"language model of two blocks, {STEPS} of {CHARACTERS} characters, batch 64"
    shape, classes, places = (STEPS,), (CHARACTERS,), (STEPS,)
    samples = 3_200
    data = "scale: none, target: {y: category}"
    model = f"""
  - embedding: {{input_dim: {CHARACTERS}, output_dim: {WIDTH}}}
  - position_embedding
  - repeat:
      times: 2
      layers:
        - skip:
            - layer_normalization
            - multi_head_attention: {{num_heads: {HEADS}, key_dim: {WIDTH // HEADS}, use_causal_mask: true}}
        - skip: [layer_normalization, {{dense: {{units: {WIDER}, activation: relu}}}}, {{dense: {WIDTH}}}]
  - output
"""

    def drawn(self, random, count):
        return random.integers(0, CHARACTERS, (count, *self.shape)).astype("int32")

    def keras_model(self) -> Any:
        from keras import Input, Model, layers, ops

        class Read(layers.Layer):
            def __init__(self):
                super().__init__()
                self.items, self.places = layers.Embedding(CHARACTERS, WIDTH), layers.Embedding(STEPS, WIDTH)

            def call(self, x):
                return self.items(x) + self.places(ops.arange(STEPS))

        entry = Input(self.shape, dtype="int32")
        x = keras_blocks(Read()(entry), causal=True)
        return Model(entry, layers.Dense(CHARACTERS, activation="softmax")(x))

    def torch_model(self) -> Any:
        import torch
        from torch import nn

        class Read(nn.Module):
            def __init__(self):
                super().__init__()
                self.items, self.places = nn.Embedding(CHARACTERS, WIDTH), nn.Embedding(STEPS, WIDTH)

            def forward(self, x):
                return self.items(x) + self.places(torch.arange(STEPS))

        return nn.Sequential(Read(), *torch_blocks(causal=True), nn.Linear(WIDTH, CHARACTERS))


def keras_blocks(x: Any, *, causal: bool) -> Any:
    from keras import layers

    for _ in range(2):
        seen = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(seen, seen, use_causal_mask=causal)
        seen = layers.LayerNormalization()(x)
        x = x + layers.Dense(WIDTH)(layers.Dense(WIDER, activation="relu")(seen))
    return x


def torch_blocks(*, causal: bool) -> list[Any]:
    """As one writes it today: the fused attention of PyTorch."""
    from torch import nn
    from torch.nn.functional import scaled_dot_product_attention

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.entry, self.exit = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

        def forward(self, x):
            count = len(x)
            parts = self.entry(self.norm(x)).view(count, STEPS, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
            seen = scaled_dot_product_attention(*parts, is_causal=causal)
            return x + self.exit(seen.transpose(1, 2).reshape(count, STEPS, WIDTH))

    class Wide(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDER), nn.ReLU(), nn.Linear(WIDER, WIDTH))

        def forward(self, x):
            return x + self.inner(x)

    return [part for _ in range(2) for part in (Attention(), Wide())]


SIDE = 64
DEPTHS = (16, 32, 64)


class UNet(Structured):
    name = f"U-Net {'-'.join(map(str, DEPTHS))}, {SIDE} x {SIDE} x 3, batch 16"
    shape, classes, places = (SIDE, SIDE, 3), (3,), (SIDE, SIDE)
    batch, samples = 16, 320
    data = "scale: none, target: {y: category}"
    model = """
  - conv2d: {filters: 16, kernel_size: 3, padding: same, activation: relu, name: first}
  - max_pooling2d: 2
  - conv2d: {filters: 32, kernel_size: 3, padding: same, activation: relu, name: second}
  - max_pooling2d: 2
  - conv2d: {filters: 64, kernel_size: 3, padding: same, activation: relu}
  - up_sampling2d: {size: 2, name: higher}
  - concatenate: {from: [higher, second]}
  - conv2d: {filters: 32, kernel_size: 3, padding: same, activation: relu}
  - up_sampling2d: {size: 2, name: highest}
  - concatenate: {from: [highest, first]}
  - conv2d: {filters: 16, kernel_size: 3, padding: same, activation: relu}
  - output
"""

    def keras_model(self) -> Any:
        from keras import Input, Model, layers

        def convolved(x, filters):
            return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)

        x = entry = Input(self.shape)
        kept = []
        for filters in DEPTHS[:-1]:
            kept.append(x := convolved(x, filters))
            x = layers.MaxPooling2D(2)(x)
        x = convolved(x, DEPTHS[-1])
        for filters, beside in zip(DEPTHS[-2::-1], kept[::-1], strict=True):
            x = convolved(layers.Concatenate()([layers.UpSampling2D(2)(x), beside]), filters)
        return Model(entry, layers.Dense(3, activation="softmax")(x))

    def torch_model(self) -> Any:
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                down = [nn.Conv2d(a, b, 3, padding=1) for a, b in zip((3, *DEPTHS), DEPTHS, strict=False)]
                up = [nn.Conv2d(a + b, b, 3, padding=1) for a, b in zip(DEPTHS[:0:-1], DEPTHS[-2::-1], strict=True)]
                self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
                self.pool, self.larger, self.last = nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.Linear(16, 3)

            def forward(self, x):
                x, kept = x.permute(0, 3, 1, 2), []
                for layer in self.down[:-1]:
                    kept.append(x := layer(x).relu())
                    x = self.pool(x)
                x = self.down[-1](x).relu()
                for layer, beside in zip(self.up, kept[::-1], strict=True):
                    x = layer(torch.cat([self.larger(x), beside], 1)).relu()
                return self.last(x.permute(0, 2, 3, 1))

        return Net()


class TwoOutputs(Structured):
    name = "dense 30-32-32 with two outputs, a class and a number, batch 32"
    shape, classes = (30,), (3, 0)
    batch, samples = 32, 20_000
    data = "scale: none"
    model = """
  layers:
    - dense: {units: 32, activation: relu}
    - dense: {units: 32, activation: relu}
  outputs:
    kind: {target: y}
    size: {target: z}
"""

    def keras_model(self) -> Any:
        from keras import Input, Model, layers

        x = entry = Input(self.shape)
        for _ in range(2):
            x = layers.Dense(32, activation="relu")(x)
        return Model(entry, [layers.Dense(3, activation="softmax")(x), layers.Dense(1)(x)])

    def torch_model(self) -> Any:
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
                self.kind, self.size = nn.Linear(32, 3), nn.Linear(32, 1)

            def forward(self, x):
                x = self.body(x)
                return self.kind(x), self.size(x)

        return Net()
