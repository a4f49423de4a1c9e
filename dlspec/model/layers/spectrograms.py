"""Layers that turn sound into how strong each frequency is over time."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dlspec.language.fields import Flag, NonNegativeNumber, PositiveInt, PositiveNumber, Primary, mistake
from dlspec.language.shapes import Shape, ShapeError, count, known, show_shape
from dlspec.model.layers.base import LAYERS, Example, LayerSpec, Spatial
from dlspec.model.layers.convolution import slide


@LAYERS.register
class MelSpectrogram(LayerSpec):
    """Turns sound into the strength of frequencies over time, spaced as they are heard (Stevens, Volkmann and Newman,
    1937).

    The strongest value that `top_db` counts from is that of all sounds of a batch, as Keras has it: a sound that is
    quieter by more than that beside a loud one comes out otherwise than alone. A larger `top_db` prevents it.

    Input shape:  (batch, samples)
    Output shape: (batch, num_mel_bins, frames)
    """

    axes = ("samples",)
    examples: ClassVar = [
        Example("mel_spectrogram", (None, 16000)),
        Example(
            {
                "mel_spectrogram": {
                    "fft_length": 256, "sequence_stride": 64, "num_mel_bins": 20, "sampling_rate": 8000,
                    "window": "hamming",
                }
            },
            (None, 1000),
        ),
    ]  # fmt: skip

    fft_length: Annotated[PositiveInt, Field(ge=2)] = Field(2048, description="samples of a frame, zeros included")
    sequence_stride: Annotated[PositiveInt, Field(ge=2)] = Field(512, description="samples from one frame to the next")
    sequence_length: PositiveInt | None = Field(None, description="samples of the window; without it, `fft_length`")
    window: Literal["hann", "hamming"] | None = "hann"
    sampling_rate: PositiveInt = Field(16000, description="samples of a second")
    num_mel_bins: PositiveInt = Primary(128, description="how many frequencies are told apart")
    min_freq: NonNegativeNumber = Field(20.0, description="the lowest frequency, in Hertz")
    max_freq: PositiveNumber | None = Field(None, description="the highest one; without it, half the sampling rate")
    power_to_db: Flag = Field(True, description="whether strengths are given in decibels")
    top_db: PositiveNumber = Field(80.0, description="what is so much weaker than the strongest is raised to it")
    mag_exp: PositiveNumber = Field(2.0, description="1 for magnitudes, 2 for powers")
    min_power: PositiveNumber = Field(1e-10, description="what is weaker is raised to it")
    ref_power: PositiveNumber = Field(1.0, description="the strength of 0 decibels")

    def model_post_init(self, context: object) -> None:
        if self.fft_length % 2:
            raise mistake("wrong-value", f"`fft_length` is even, got `{self.fft_length}`")
        if self.sequence_length is not None and self.sequence_length > self.fft_length:
            raise mistake(
                "wrong-value",
                f"`sequence_length` is {self.sequence_length}, more than the {self.fft_length} of `fft_length`",
            )
        highest = self.sampling_rate / 2 if self.max_freq is None else self.max_freq
        if self.min_freq >= highest:
            raise mistake("wrong-value", f"`min_freq` is {self.min_freq:g}, not below the highest, {highest:g}")

    def output_shape(self, input_shape: Shape) -> Shape:
        samples, step = input_shape[1], self.sequence_stride
        if samples is None:
            return (input_shape[0], self.num_mel_bins, None)
        if samples <= self.fft_length // 2:
            raise ShapeError(
                f"`mel_spectrogram` has frames of {self.fft_length} samples, and {show_shape(input_shape)} is shorter "
                "than the half of one that is mirrored at either end",
                help="write a smaller `fft_length`",
            )
        if (samples + 1) % step == 0:  # Keras promises a frame more than it gives
            raise ShapeError(
                f"`mel_spectrogram` has `sequence_stride: {step}`, and Keras miscounts the frames of {samples} samples",
                help="write another `sequence_stride`",
            )
        return (input_shape[0], self.num_mel_bins, 1 + samples // step)

    def flops(self, input_shape: Shape) -> int:
        frames = known(self.output_shape(input_shape)[2])
        bins = self.fft_length // 2 + 1
        transform = round(2.5 * self.fft_length * math.log2(self.fft_length))  # of real numbers
        decibels = 4 * self.num_mel_bins if self.power_to_db else 0
        # the window, the transform, magnitudes, the bins weighted
        return frames * (self.fft_length + transform + 4 * bins + 2 * bins * self.num_mel_bins + decibels)


@LAYERS.register
class STFTSpectrogram(Spatial):
    """Turns sound into the strength of each frequency over time by a short-time Fourier transform with weights that
    training may change.

    Input shape:  (batch, samples, channels); with `data_format: channels_first` (batch, channels, samples)
    Output shape: (batch, frames, channels * frequencies); with `expand_dims` (batch, frames, frequencies, channels);
        with `data_format: channels_first` (batch, channels * frequencies, frames), or with `expand_dims`
        (batch, channels, frames, frequencies)
    """

    axes = ("samples", "channels")
    weighted = True
    examples: ClassVar = [
        Example({"stft_spectrogram": {"frame_length": 16}}, (None, 100, 1)),
        Example(
            {"stft_spectrogram": {"mode": "stft", "frame_length": 8, "padding": "same", "expand_dims": True}},
            (None, 40, 2),
        ),
    ]

    mode: Literal["log", "magnitude", "psd", "real", "imag", "angle", "stft"] = Field(
        "log", description="what is given of each frequency; `stft` the real and the imaginary parts"
    )
    frame_length: Annotated[PositiveInt, Field(ge=3)] = Field(256, description="samples of a frame")
    frame_step: PositiveInt | None = Field(
        None, description="samples from one frame to the next; without it, half a frame"
    )
    fft_length: PositiveInt | None = Field(
        None, description="samples of a frame with zeros; without it, the next power of two"
    )
    window: Literal["hann", "hamming", "blackman", "bartlett", "boxcar", "cosine", "nuttall", "parzen"] | None = "hann"
    periodic: Flag = Field(False, description="whether the window is one period rather than symmetric")
    scaling: Literal["density", "spectrum"] | None = "density"
    padding: Literal["valid", "same"] = "valid"
    expand_dims: Flag = Field(False, description="whether frequencies have an axis of their own")

    def model_post_init(self, context: object) -> None:
        if self.frame_step is not None and self.frame_step > self.frame_length:
            raise mistake(
                "wrong-value", f"`frame_step` is {self.frame_step}, more than the {self.frame_length} of `frame_length`"
            )
        if self.fft_length is not None and self.fft_length < self.frame_length:
            raise mistake(
                "wrong-value", f"`fft_length` is {self.fft_length}, less than the {self.frame_length} of `frame_length`"
            )

    @property
    def frequencies(self) -> int:
        """How many frequencies are told apart."""
        return (self.fft_length or 2 ** math.ceil(math.log2(self.frame_length))) // 2 + 1

    @property
    def kernels(self) -> int:
        """How many parts are computed: the real one, the imaginary one, or both."""
        return 1 if self.mode in ("real", "imag") else 2

    def output_shape(self, input_shape: Shape) -> Shape:
        (samples,), channels = self.split(input_shape)
        frames = slide(samples, self.frame_length, self.frame_step or self.frame_length // 2, self.padding)
        if frames is not None and frames < 1:
            raise ShapeError(
                f"`stft_spectrogram` has frames of {self.frame_length} samples, and {show_shape(input_shape)} has "
                f"only {samples}",
                help="write a smaller `frame_length`, or `padding: same`",
            )
        values = self.frequencies * (2 if self.mode == "stft" else 1)
        if not self.expand_dims:
            return self.join(input_shape[0], (frames,), None if channels is None else channels * values)
        if self.channels_first:
            return (input_shape[0], channels, frames, values)
        return (input_shape[0], frames, values, channels)

    def parameters(self, input_shape: Shape) -> int:
        return self.kernels * self.frame_length * self.frequencies

    def flops(self, input_shape: Shape) -> int:
        after = {"log": 5, "magnitude": 4, "psd": 4, "angle": 1}.get(self.mode, 0)
        places = count(self.output_shape(input_shape)) // (2 if self.mode == "stft" else 1)
        return places * (self.kernels * 2 * self.frame_length + after)
