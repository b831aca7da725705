"""Checkpoints come back as they went, and anything else is refused."""

import json
import pickle
import struct

import pytest
import torch
from safetensors.torch import save

from attack.checkpoint import network_fingerprint, read_checkpoint, write_checkpoint
from attack.victim import VictimNetwork
from attack.victim_training import TrainedVictim
from instances.cnns import NETWORKS
from optmodel.ground.rule_errors import InputError

LENET = NETWORKS["lenet"]()
IMAGES = "f" * 64


@pytest.fixture(scope="module")
def trained() -> TrainedVictim:
    torch.manual_seed(0)
    return TrainedVictim(VictimNetwork(LENET).eval(), 0.75, 500)


@pytest.fixture
def checkpoint(tmp_path, trained):
    path = tmp_path / "lenet.safetensors"
    write_checkpoint(path, trained, IMAGES, 3)
    return path


def refused(path, expected: str, network=LENET, images: str = IMAGES, seed: int = 3) -> None:
    with pytest.raises(InputError, match=expected) as told:
        read_checkpoint(path, network, images, seed)
    assert str(path) in str(told.value)
    assert all(line.startswith(str(path)) for line in str(told.value).splitlines())


def refused_content(folder, content: bytes, expected: str) -> None:
    (folder / "victim.st").write_bytes(content)
    refused(folder / "victim.st", expected)


def test_a_checkpoint_comes_back_as_it_went(checkpoint, trained):
    back = read_checkpoint(checkpoint, LENET, IMAGES, 3)
    assert (back.accuracy, back.exam_images) == (0.75, 500)
    images = torch.rand(2, 1, 28, 28)
    assert torch.equal(back.victim(images), trained.victim(images))
    assert not back.victim.training


def test_same_victim_same_bytes(checkpoint, trained, tmp_path):
    write_checkpoint(tmp_path / "again.safetensors", trained, IMAGES, 3)
    assert (tmp_path / "again.safetensors").read_bytes() == checkpoint.read_bytes()


def test_a_pickle_is_refused_and_never_opened(tmp_path, trained):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    path = tmp_path / "victim.pt"
    path.write_bytes(pickle.dumps(Trap()))
    refused(path, "expected a safetensors file")
    torch.save(trained.victim.state_dict(), path)
    refused(path, "expected a safetensors file")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("kept", [0, 4, 8, 200, -1])
def test_a_truncated_file_is_refused(checkpoint, kept):
    checkpoint.write_bytes(checkpoint.read_bytes()[:kept])
    refused(checkpoint, "expected a safetensors file")


def test_a_header_that_claims_to_be_huge_is_refused(checkpoint):
    checkpoint.write_bytes(struct.pack("<Q", 2**63) + checkpoint.read_bytes()[8:])
    refused(checkpoint, "expected a safetensors file")


def test_another_network_other_images_and_another_seed_are_refused(checkpoint):
    other = LENET.model_copy(update={"id": "other"})
    refused(checkpoint, "network: expected .*, got .*train the victim again", network=other)
    refused(checkpoint, "images: expected eeeeeeeeeeee, got ffffffffffff", images="e" * 64)
    refused(checkpoint, "seed: expected 4, got 3", seed=4)


def test_a_missing_file_is_refused(tmp_path):
    refused(tmp_path / "none.safetensors", "No such file")


def origin(**changes) -> dict[str, str]:
    told = {
        "network": network_fingerprint(LENET),
        "images": IMAGES,
        "seed": 3,
        "accuracy": 0.5,
        "exam_images": 9,
    }
    return {"origin": json.dumps(told | changes)}


def weights_with(trained, **changes):
    return {name: t.clone() for name, t in trained.victim.state_dict().items()} | changes


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path, trained, value):
    weights = weights_with(trained)
    weights["layers.conv2.bias"][3] = value
    refused_content(tmp_path, save(weights, origin()), "conv2.bias: expected finite weights")


def test_other_shapes_are_refused_by_name(tmp_path, trained):
    longer = save(weights_with(trained, **{"layers.fc3.bias": torch.zeros(11)}), origin())
    expected = r"fc3.bias: expected .* of shape \(10,\), got .* of shape \(11,\)"
    refused_content(tmp_path, longer, expected)
    more = save(weights_with(trained, more=torch.zeros(2)), origin())
    refused_content(tmp_path, more, "more: expected no such weights")


def test_other_types_of_weights_are_refused(tmp_path, trained):
    whole = {"layers.fc3.bias": torch.zeros(10, dtype=torch.int64)}
    expected = "fc3.bias: expected torch.float32 of .*, got torch.int64 of"
    refused_content(tmp_path, save(weights_with(trained, **whole), origin()), expected)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_weights_of_unknown_origin_are_refused(tmp_path, trained, metadata):
    content = save(weights_with(trained), metadata)
    refused_content(tmp_path, content, "expected a checkpoint that says what it was trained on")


def with_header(trained, **parts: str) -> bytes:
    """A checkpoint some of whose header, or all of it, is another JSON text."""
    content = save(weights_with(trained), origin())
    end = 8 + int.from_bytes(content[:8], "little")
    told = {key: json.dumps(value) for key, value in json.loads(content[8:end]).items()} | parts
    whole = "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in told.items()) + "}"
    header = parts.get("whole", whole).encode("utf-8", "surrogateescape")
    return struct.pack("<Q", len(header)) + header + content[end:]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"__metadata__": "null"}, "expected a checkpoint that says what it was trained on"),
        ({"__metadata__": "{}"}, "expected a checkpoint that says what it was trained on"),
        *(
            ({"__metadata__": text}, "expected a safetensors file")
            for text in ("[1]", '"x"', "3", '{"origin":3}', '{"origin":null}', '{"a":"\\ud800"}')
        ),
        *(
            ({"whole": text}, "expected a safetensors file")
            for text in ("", "{", "null", "[]", "3", "\udcff", "[" * 100_000, '{"a":' * 200)
        ),
        ({"layers.fc3.bias": '{"x":' + "9" * 5000 + "}"}, "expected a safetensors file"),
        ({"__metadata__": '{"origin":"{"}'}, "origin: expected JSON in UTF-8"),
        ({"__metadata__": '{"origin":"null"}'}, "origin: expected"),
        ({"__metadata__": '{"origin":"{}"}'}, "origin: network: expected a value, got nothing"),
    ],
)
def test_a_damaged_header_is_refused(parts, expected, tmp_path, trained):
    refused_content(tmp_path, with_header(trained, **parts), expected)


def test_a_type_that_torch_lacks_is_refused(tmp_path):
    header = b'{"a":{"dtype":"F8_E8M0","shape":[4],"data_offsets":[0,4]}}'
    content = struct.pack("<Q", len(header)) + header + bytes(4)
    refused_content(tmp_path, content, "expected weights of the type F32, got F8_E8M0; train")


def test_what_a_checkpoint_says_cannot_move_the_cursor(tmp_path, trained):
    content = save(weights_with(trained), origin(network="\x1b[2J" * 9))
    refused_content(tmp_path, content, r"network: expected .*, got \\x1b\[2J")
    content = save(weights_with(trained, **{"\x1b[2J": torch.zeros(1)}), origin())
    refused_content(tmp_path, content, r": \\x1b\[2J: expected no such weights")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"accuracy": "good"}, "accuracy"),
        ({"accuracy": 1.5}, "accuracy"),
        ({"exam_images": 0}, "exam_images"),
        ({"more": 1}, "more"),
    ],
)
def test_an_origin_that_breaks_a_rule_is_refused_with_the_field(tmp_path, trained, changes, field):
    content = save(weights_with(trained), origin(**changes))
    refused_content(tmp_path, content, f"{field}: expected")
