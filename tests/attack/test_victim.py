"""Victims are what the descriptions of the networks say, layer by layer."""

import pytest
import torch
from torch import nn

from attack.victim import VictimNetwork, require_attackable
from instances.cnns import NETWORKS, Conv, Fc, Pool, trace
from optmodel.ground.rule_errors import InputError
from optmodel.problem.network import FcLayer, Network

EVERY = pytest.mark.parametrize("name", NETWORKS)


def on_paper(name: str) -> tuple[VictimNetwork, dict[str, torch.Size]]:
    """The victim without memory for its weights, and the shapes that its modules put out."""
    shapes = {}
    with torch.device("meta"):
        victim = VictimNetwork(NETWORKS[name]())
        for layer, module in victim.layers.items():
            module.register_forward_hook(
                lambda _module, _given, made, layer=layer: shapes.update({layer: made.shape})
            )
        victim(image_of(victim))
    return victim, shapes


def image_of(victim: VictimNetwork, count: int = 2, device: str | None = None) -> torch.Tensor:
    network = victim.network
    shape = (count, network.image_channels, network.image_height, network.image_width)
    return torch.rand(shape, device=device)


@EVERY
def test_every_layer_puts_out_the_shape_described(name):
    victim, shapes = on_paper(name)
    assert list(shapes) == [layer.name for layer in victim.network.layers]
    for layer in victim.network.layers:
        if isinstance(layer, FcLayer):
            assert shapes[layer.name] == (2, layer.output_neurons)
        else:
            size = (layer.output_maps, layer.output_height, layer.output_width)
            assert shapes[layer.name] == (2, *size)


@EVERY
def test_multiplications_and_weights_are_those_of_eq_2_to_4(name):
    """A conv multiplies each weight once per position of its output, an fc each weight once."""
    victim, shapes = on_paper(name)
    for layer in victim.network.layers:
        module = victim.layers[layer.name]
        weights = module.weight.numel() if hasattr(module, "weight") else 0
        positions = shapes[layer.name][2:].numel() if isinstance(module, nn.Conv2d) else 1
        assert weights == layer.input_maps * layer.weights_per_segment
        assert weights * positions == layer.input_maps * layer.multiplications_per_segment


def test_outputs_are_what_the_layers_make_one_after_another():
    victim = VictimNetwork(NETWORKS["cifar_block1"]()).eval()
    signal = images = image_of(victim)
    for count, module in enumerate(victim.layers.values()):
        assert torch.equal(victim.maps_behind(images, count), signal)
        signal = module(signal.flatten(1) if isinstance(module, nn.Linear) else signal)
    assert torch.equal(victim(images), signal)


def test_inner_fcs_bring_their_activation_along():
    victim = VictimNetwork(
        trace("two", 1, 4, [Conv("1", 1, 1, "MNIST Conv1"), Fc("1", 3), Fc("2", 2)])
    )
    nn.init.zeros_(victim.layers["fc1"].weight)
    nn.init.constant_(victim.layers["fc1"].bias, -1.0)
    logits = victim(image_of(victim))
    assert torch.allclose(logits, victim.layers["fc2"].bias.expand(2, 2))


def test_labels_do_not_depend_on_the_batch():
    victim = VictimNetwork(NETWORKS["lenet"]()).eval()
    images = image_of(victim, 7)
    assert torch.equal(victim.labels(images, batch=2), victim(images).argmax(1))


def resized(network, index, height, width):
    size = {"output_height": height, "output_width": width}
    layer = network.layers[index].model_copy(update=size)
    layers = (*network.layers[:index], layer, *network.layers[index + 1 :])
    return network.model_copy(update={"layers": layers})


@pytest.mark.parametrize(("index", "side", "name"), [(0, 11, "conv1"), (2, 7, "pool1")])
def test_sizes_that_no_padding_or_step_makes_are_refused(index, side, name):
    steps = [Conv("1", 2, 3, "MNIST Conv1"), Pool("1"), Fc("1", 2)]
    network = resized(trace("odd", 1, 12, steps), index, side, side)
    with pytest.raises(InputError, match=f"layer '{name}': expected a size .*, got"):
        VictimNetwork(network)


def renamed(names: dict[str, str]) -> Network:
    """LeNet with other names of layers."""
    lenet = NETWORKS["lenet"]()
    layers = tuple(
        one.model_copy(update={"name": names.get(one.name, one.name)}) for one in lenet.layers
    )
    return lenet.model_copy(update={"id": "own", "layers": layers})


def test_layers_may_have_any_name():
    """Of torch's own names, with dots, and such that look as if they were escaped."""
    names = {"conv1": "block1.conv", "relu1": "keys", "pool1": "training", "conv2": "block1%2Econv"}
    torch.manual_seed(0)
    victim = VictimNetwork(renamed(names))
    torch.manual_seed(0)
    plain = VictimNetwork(NETWORKS["lenet"]())
    images = image_of(victim)
    assert torch.equal(victim(images), plain(images))
    for count, (name, other) in enumerate(names.items(), start=1):
        assert torch.equal(victim.maps_behind(images, count), plain.maps_behind(images, count))
        assert type(victim.module_of(other)) is type(plain.module_of(name))


def own(**changes: object) -> Network:
    return renamed({}).model_copy(update=changes)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (own(image_width=30), "expected square images and maps, got 28 x 30 of the image; descr"),
        (
            resized(own(), 0, 24, 20),
            "expected square images and maps, got 24 x 20 of layer 'conv1'",
        ),
        (
            trace("own", 1, 10, [Conv("1", 2, 3, "a"), Fc("1", 2)]),
            "expected images of at least 11 x 11 pixels, the window of SSIM, got 10 x 10; attack",
        ),
        (
            trace("own", 1, 100, [Conv("1", 1000, 3, "a"), Fc("1", 1000)]),
            "expected at most 400,000,000 weights, got 10,000,009,000; correct its sizes",
        ),
    ],
)
def test_what_cannot_be_attacked_is_refused(network, expected):
    with pytest.raises(InputError) as raised:
        require_attackable(network)
    assert str(raised.value).startswith(f"network 'own': {expected}")


@EVERY
def test_every_built_in_network_can_be_attacked(name):
    require_attackable(NETWORKS[name]())
