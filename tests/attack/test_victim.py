"""Victims are what the descriptions of the networks say, layer by layer."""

import pytest
import torch
from torch import nn

from attack.victim import Victim
from instances.cnns import NETWORKS, Conv, Fc, Pool, trace
from optmodel.files import InputError
from optmodel.network import FcLayer

EVERY = pytest.mark.parametrize("name", NETWORKS)


def on_paper(name: str) -> tuple[Victim, dict[str, torch.Size]]:
    """The victim without memory for its weights, and the shapes that its modules put out."""
    shapes = {}
    with torch.device("meta"):
        victim = Victim(NETWORKS[name]())
        for layer, module in victim.layers.items():
            module.register_forward_hook(
                lambda _module, _given, made, layer=layer: shapes.update({layer: made.shape})
            )
        victim(image_of(victim))
    return victim, shapes


def image_of(victim: Victim, count: int = 2, device: str | None = None) -> torch.Tensor:
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
    victim = Victim(NETWORKS["cifar_block1"]()).eval()
    images = image_of(victim)
    got = victim.outputs(images, ["image", "conv12", "pool1"])
    assert set(got) == {"image", "conv12", "pool1"}
    assert got["image"] is images
    signal = images
    for name, module in victim.layers.items():
        signal = module(signal.flatten(1) if isinstance(module, nn.Linear) else signal)
        if name in got:
            assert torch.equal(got[name], signal)
    assert torch.equal(victim(images), signal)


def test_inner_fcs_bring_their_activation_along():
    victim = Victim(trace("two", 1, 4, [Conv("1", 1, 1, "MNIST Conv1"), Fc("1", 3), Fc("2", 2)]))
    nn.init.zeros_(victim.layers["fc1"].weight)
    nn.init.constant_(victim.layers["fc1"].bias, -1.0)
    logits = victim(image_of(victim))
    assert torch.allclose(logits, victim.layers["fc2"].bias.expand(2, 2))


def test_labels_do_not_depend_on_the_batch():
    victim = Victim(NETWORKS["lenet"]()).eval()
    images = image_of(victim, 7)
    assert torch.equal(victim.labels(images, batch=2), victim(images).argmax(1))


def resized(network, index, side):
    layer = network.layers[index].model_copy(update={"output_height": side, "output_width": side})
    layers = (*network.layers[:index], layer, *network.layers[index + 1 :])
    return network.model_copy(update={"layers": layers})


@pytest.mark.parametrize(("index", "name"), [(0, "conv1"), (2, "pool1")])
def test_sizes_that_no_padding_or_step_makes_are_refused(index, name):
    steps = [Conv("1", 2, 3, "MNIST Conv1"), Pool("1"), Fc("1", 2)]
    network = resized(trace("odd", 1, 12, steps), index, {0: 11, 2: 7}[index])
    with pytest.raises(InputError, match=f"layer '{name}': expected a size .*, got"):
        Victim(network)
