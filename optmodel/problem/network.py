"""A CNN as a chain of layers: what a segment of each layer costs (Eq. 2-4)."""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from optmodel.ground.json_files import StrictModel
from optmodel.ground.rule_errors import RuleError, field_path, refuse_repeated
from optmodel.problem.map_sizes import Count as Count
from optmodel.problem.map_sizes import Padding, Pair, SlidingWindow, told, windows

Identifier = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name without control characters."""
MAX_MULTIPLICATIONS = 10**15
"""Of one layer: a million times VGG16, and exact in 64-bit arithmetic."""

Neurons = Annotated[int, Field(ge=1, le=100_000_000)]


class _Layer(StrictModel):
    """A layer of a dense chain: all its maps or neurons are made from all that come in."""

    @model_validator(mode="before")
    @classmethod
    def _no_field_is_lost(cls, written: Any) -> Any:
        """Refuse a field that may say of a layer what the model cannot."""
        for name in written if isinstance(written, dict) else ():
            if name not in cls.model_fields:
                raise RuleError(
                    field_path([name]),
                    "no such field (layers are dense, in a chain)",
                    "one",
                    "mend its name, or delete it if the layer computes the same without it; if not "
                    "(groups, dilation, depthwise, branches), it cannot be planned",
                )
        return written


class _MapLayer(_Layer):
    """A layer that puts out feature maps."""

    name: Identifier
    """Name of the layer, unique in its network."""
    input_maps: Count
    """Feature maps received, P of layer l-1; as many segments."""
    output_height: Count
    """Height of one output map, in pixels."""
    output_width: Count
    """Width of one output map, in pixels."""
    ssim_row: Identifier
    """Row of the SSIM table that tells what the output maps give away."""

    @property
    def output_size(self) -> tuple[int, int]:
        """Height and width of one output map, in pixels."""
        return self.output_height, self.output_width

    def bits_per_output(self, word_bits: int) -> int:
        """Return the bits of one output map: word · o² (Eq. 6)."""
        return word_bits * self.output_height * self.output_width


def _not_stated(value: object) -> bool:
    """Tell whether a file need not hold a field: digests are those of files that lack it."""
    return value is None


class _WindowLayer(_MapLayer):
    """A layer that slides a window over its maps."""

    stride: Pair | None = Field(default=None, exclude_if=_not_stated)
    """Steps of the window, in pixels: for both axes or [height, width]. Any if not stated; a pool
    that states its kernel alone steps by that."""
    padding: Padding | None = Field(default=None, exclude_if=_not_stated)
    """Zeros around the map: "same" (the size becomes ⌈size / stride⌉), "valid" (none), or pixels
    on each side, for both axes or [height, width]. Up to "same", or up to 4 pixels
    at both ends together, if not stated."""

    @property
    def windows(self) -> tuple[SlidingWindow, SlidingWindow]:
        """The window down and across."""
        raise NotImplementedError

    def refuse_other_size(self, received: tuple[int, int]) -> None:
        """Raise a `RuleError` if no window as stated makes the output of maps of a size."""
        fields = ("output_height", "output_width")
        for field, window, size, made in zip(
            fields, self.windows, received, self.output_size, strict=True
        ):
            if not window.makes(size, made):
                raise RuleError(
                    field,
                    window.told(size),
                    str(made),
                    "correct the size or the kernel, or state the stride and padding that make it",
                )


class ConvLayer(_WindowLayer):
    """A convolution; batch norm at inference is folded into it."""

    kind: Literal["conv"]
    kernel: Count
    """Side S of the square kernel, in pixels."""
    output_maps: Count
    """Feature maps put out, P of layer l."""

    @property
    def windows(self) -> tuple[SlidingWindow, SlidingWindow]:
        """Return the kernel with its steps, down and across."""
        return windows(self.kernel, self.stride, self.padding)

    @property
    def multiplications_per_segment(self) -> int:
        """Multiplications of one segment: S² · P_l · o² (Eq. 2)."""
        return self.kernel**2 * self.output_maps * self.output_height * self.output_width

    @property
    def weights_per_segment(self) -> int:
        """Weights that one segment stores: S² · P_l (W of Eq. 4)."""
        return self.kernel**2 * self.output_maps


class _Pointwise:
    """What turns each input map into one output map, without multiplications."""

    input_maps: int

    @property
    def output_maps(self) -> int:
        """Feature maps put out: as many as come in."""
        return self.input_maps

    @property
    def multiplications_per_segment(self) -> int:
        """None: Section II-B neglects these layers."""
        return 0

    @property
    def weights_per_segment(self) -> int:
        """None."""
        return 0


class ActLayer(_Pointwise, _MapLayer):
    """An activation such as ReLU."""

    kind: Literal["act"]

    def refuse_other_size(self, received: tuple[int, int]) -> None:
        """Raise a `RuleError` if the output has another size than the maps that come in."""
        if self.output_size != received:
            expected = f"{told(received)} (an act keeps the size of its input)"
            raise RuleError("output_height", expected, told(self.output_size), "correct the size")


class PoolLayer(_Pointwise, _WindowLayer):
    """A pooling layer."""

    kind: Literal["pool"]
    kernel: Pair | None = Field(default=None, exclude_if=_not_stated)
    """Window in pixels, for both axes or [height, width]. If not stated it is as large as the
    stride; if that is not stated either, any that enlarges the maps by no more than a pixel."""

    @model_validator(mode="after")
    def _padding_has_a_window(self) -> Self:
        if self.padding is not None and self.kernel is None and self.stride is None:
            raise RuleError("kernel", "a value beside padding", "nothing", "state the window too")
        return self

    @property
    def windows(self) -> tuple[SlidingWindow, SlidingWindow]:
        """Return the window with its steps, down and across."""
        kernel, stride = self.kernel, self.stride
        return windows(
            stride if kernel is None else kernel, kernel if stride is None else stride, self.padding
        )


class FcLayer(_Layer):
    """A fully connected layer, its activation folded in."""

    kind: Literal["fc"]
    name: Identifier
    """Name of the layer, unique in its network."""
    input_maps: Count
    """Maps received: P of layer l-1 for the first fc, 1 for an fc after an fc."""
    input_neurons: Neurons
    """Neurons of the input, n of layer l-1."""
    output_neurons: Neurons
    """Neurons of the output, n of layer l."""

    @property
    def output_maps(self) -> int:
        """One: the output of an fc travels whole."""
        return 1

    @property
    def multiplications_per_segment(self) -> int:
        """Multiplications of one segment: n_in · n_out / P_{l-1} (Eq. 3)."""
        return self.input_neurons * self.output_neurons // self.input_maps

    @property
    def weights_per_segment(self) -> int:
        """Weights that one segment stores: as many as its multiplications (Eq. 4)."""
        return self.multiplications_per_segment

    def bits_per_output(self, word_bits: int) -> int:
        """Return the bits of the whole output: word · n_l (Eq. 6)."""
        return word_bits * self.output_neurons


Layer = Annotated[ConvLayer | ActLayer | PoolLayer | FcLayer, Field(discriminator="kind")]


class Network(StrictModel):
    """A CNN as a chain of layers l = 1..L."""

    id: Identifier
    """Name by which requests refer to the network."""
    image_channels: Count
    """Channels of the input image, P_0."""
    image_height: Count
    """Height of the input image, in pixels."""
    image_width: Count
    """Width of the input image, in pixels."""
    layers: Annotated[tuple[Layer, ...], Field(min_length=1, max_length=1000)]
    """The layers, first to last."""

    @model_validator(mode="after")
    def _layer_names_are_unique(self) -> Self:
        refuse_repeated("layers", "name", (layer.name for layer in self.layers))
        return self

    @model_validator(mode="after")
    def _fc_layers_end_the_chain(self) -> Self:
        for index, (layer, following) in enumerate(pairwise(self.layers)):
            if layer.kind == "fc" and following.kind != "fc":
                raise RuleError(
                    f"layers[{index}].kind",
                    "fc only after the last conv, act or pool",
                    f"fc '{layer.name}' before {following.kind} '{following.name}'",
                    "move the fc layers to the end",
                )
        if self.layers[0].kind == "fc":
            raise RuleError(
                "layers[0].kind", "conv, act or pool", "fc", "start with the layer that sees pixels"
            )
        return self

    @model_validator(mode="after")
    def _input_maps_match(self) -> Self:
        received = self.image_channels
        for index, layer in enumerate(self.layers):
            if layer.input_maps != received:
                before = self.layers[index - 1].name if index else "the image"
                raise RuleError(
                    f"layers[{index}].input_maps",
                    f"{received} (what {before} puts out)",
                    str(layer.input_maps),
                    f"correct it or the output of {before}",
                )
            received = layer.output_maps
        return self

    @model_validator(mode="after")
    def _input_neurons_match(self) -> Self:
        for index, (before, layer) in enumerate(pairwise(self.layers), start=1):
            if not isinstance(layer, FcLayer):
                continue
            if isinstance(before, FcLayer):
                received = before.output_neurons
            else:
                received = before.output_maps * before.output_height * before.output_width
            if layer.input_neurons != received:
                raise RuleError(
                    f"layers[{index}].input_neurons",
                    f"{received} (what {before.name} puts out)",
                    str(layer.input_neurons),
                    f"correct it or the output of {before.name}",
                )
        return self

    @model_validator(mode="after")
    def _work_is_countable(self) -> Self:
        for index, layer in enumerate(self.layers):
            work = layer.multiplications_per_segment * layer.input_maps
            if work > MAX_MULTIPLICATIONS:
                raise RuleError(
                    f"layers[{index}]",
                    f"at most {MAX_MULTIPLICATIONS:.0e} multiplications in a layer",
                    f"{work:.3e}",
                    "correct its sizes",
                )
        return self

    @model_validator(mode="after")
    def _sizes_can_be(self) -> Self:
        received = (self.image_height, self.image_width)
        for index, layer in enumerate(self.layers):
            if isinstance(layer, FcLayer):
                break
            try:
                layer.refuse_other_size(received)
            except RuleError as error:
                raise error.below(f"layers[{index}]") from error
            received = layer.output_size
        return self

    @property
    def first_fc(self) -> int | None:
        """Index (from 0) of the first fc layer, None if there is none."""
        return next((k for k, layer in enumerate(self.layers) if layer.kind == "fc"), None)
