"""IDX files and CIFAR-10 batches: read as published, refused when anything is off."""

import gzip
import pickle

import numpy as np
import pytest
from image_files import COLOUR, GREY, idx, noise, python2_batch, refused, write_batches, write_idx

from attack.data import load_images
from instances.cnns import NETWORKS

CIFAR = NETWORKS["cifar_cnn"]()


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_are_read_packed_or_not(packed, tmp_path):
    images = load_images(write_idx(tmp_path / "digits", packed=packed), GREY)
    assert (images.pixels[:6, 0] == noise(0, 6, 8, 10)).all()
    assert (images.pixels[6:, 0] == noise(1, 4, 8, 10)).all()
    assert images.labels.tolist() == [0, 1] * 5
    assert images.classes == ("3", "5")
    assert images.test.tolist() == [False] * 6 + [True] * 4
    assert images.groups.tolist() == list(range(10))
    assert images.source == "digits"


def test_idx_files_need_no_test_data(tmp_path):
    for file in write_idx(tmp_path).glob("t10k-*"):
        file.unlink()
    images = load_images(tmp_path, GREY)
    assert len(images) == 6
    assert not images.test.any()


def test_a_single_file_is_told_its_folder(tmp_path):
    write_idx(write_batches(tmp_path))
    for file in ("train-images-idx3-ubyte", "test_batch"):
        assert f"got one file; name '{tmp_path}'" in refused(tmp_path / file, GREY)


def test_an_idx_file_that_is_missing(tmp_path):
    (write_idx(tmp_path) / "t10k-labels-idx1-ubyte").unlink()
    assert refused(tmp_path, GREY) == (
        f"{tmp_path}: expected a file t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz, got "
        "none; put it beside the others"
    )


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content[:-1], "expected 480 bytes after the header, got 479; download"),
        (lambda content: content + b"?", "expected 480 bytes after the header, got more;"),
        (lambda content: content[:10], "expected an IDX header that begins with 00 00 08 03, got"),
        (lambda content: b"", "got an empty file"),
        (lambda content: b"\0\0\x0d\x03" + content[4:], "with 00 00 08 03, got 00 00 0d 03;"),
        (lambda content: content[:4] + b"\xff" * 4 + content[8:], "at most 4 GB of pixels, got"),
    ],
)
def test_an_idx_file_that_is_not_what_its_header_says(change, said, packed, tmp_path):
    file = write_idx(tmp_path) / "train-images-idx3-ubyte"
    content = change(file.read_bytes())
    culprit = file.with_name(f"{file.name}.gz") if packed else file
    file.unlink()
    culprit.write_bytes(gzip.compress(content, mtime=0) if packed else content)
    message = refused(tmp_path, GREY)
    assert message.startswith(f"{culprit}: ")
    assert said in message


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(bytes(500), mtime=0)[:-20]])
def test_an_idx_file_that_does_not_unpack(content, tmp_path):
    file = write_idx(tmp_path, packed=True) / "train-labels-idx1-ubyte.gz"
    file.write_bytes(content)
    assert refused(tmp_path, GREY).startswith(f"{file}: expected an IDX ")


def test_an_idx_file_with_another_number_of_labels(tmp_path):
    file = write_idx(tmp_path) / "train-labels-idx1-ubyte"
    file.write_bytes(idx(np.array([3, 5], dtype=np.uint8)))
    assert "expected a label for each of the 6 images in train-images" in refused(tmp_path, GREY)


def test_idx_files_of_a_single_class(tmp_path):
    folder = write_idx(tmp_path)
    for part, count in (("train", 6), ("t10k", 4)):
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.full(count, 7, dtype=np.uint8)))
    assert "expected labels of at least two classes, got 1" in refused(tmp_path, GREY)


def test_idx_files_of_another_size_are_not_resized(tmp_path):
    write_idx(tmp_path)
    message = refused(tmp_path, NETWORKS["lenet"]())
    assert "expected images of 1 channel of 28x28 pixels for the network 'lenet', got" in message
    assert "got 1 channel of 8x10 pixels; name other images" in message
    assert "expected images of 3 channels of 8x10" in refused(tmp_path, COLOUR)


def test_batches_are_read_and_the_test_batch_is_test_data(tmp_path):
    images = load_images(write_batches(tmp_path / "cifar-10-batches-py"), CIFAR)
    expected = np.concatenate([noise(seed, 2, 3072) for seed in range(6)])
    assert (images.pixels == expected.reshape(12, 3, 32, 32)).all()
    assert images.labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9, 5, 9]
    assert images.classes[0] == "airplane"
    assert images.classes[9] == "truck"
    assert images.test.tolist() == [False] * 10 + [True] * 2
    assert images.source == "cifar-10-batches-py"


def test_batches_as_python_2_wrote_them_are_read(tmp_path):
    data = noise(8, 300, 3072)
    labels = [number % 10 for number in range(300)]
    (write_batches(tmp_path) / "test_batch").write_bytes(python2_batch(data, labels))
    images = load_images(tmp_path, CIFAR)
    assert (images.pixels[10:].reshape(300, 3072) == data).all()
    assert images.labels[10:].tolist() == labels


def test_a_batch_stored_column_by_column_is_the_same(tmp_path):
    plain = load_images(write_batches(tmp_path / "one"), CIFAR)
    turned = write_batches(tmp_path / "two", data=np.asfortranarray(noise(5, 2, 3072)))
    assert load_images(turned, CIFAR).fingerprint == plain.fingerprint


class Harmful:
    """Makes a file wherever it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (str(self.file), "w")


def test_a_batch_that_would_run_a_program_is_refused_and_runs_nothing(tmp_path):
    trace = tmp_path / "trace"
    folder = write_batches(tmp_path / "batches", data=Harmful(trace))
    message = refused(folder, CIFAR)
    assert message.startswith(f"{folder}/test_batch: expected a pickle of arrays and lists alone")
    assert "got one that calls 'io.open' and could run any program; do not use" in message
    assert not trace.exists()


def test_a_batch_that_is_missing(tmp_path):
    (write_batches(tmp_path) / "data_batch_3").unlink()
    assert "data_batch_3: expected a readable file, got 'No such file" in refused(tmp_path, CIFAR)


@pytest.mark.parametrize(
    "content", [b"", b"no pickle", b"\x80\x02}", b"\x80\x05.", pickle.dumps({})[:-1], b"(lp0\n"]
)
def test_a_batch_that_is_no_pickle(content, tmp_path):
    (write_batches(tmp_path) / "test_batch").write_bytes(content)
    message = refused(tmp_path, CIFAR)
    assert message.startswith(f"{tmp_path}/test_batch: expected a batch of CIFAR-10 for Python")


@pytest.mark.parametrize(
    "replaced",
    [
        {"data": noise(0, 2, 3071)},
        {"data": noise(0, 6144)},
        {"data": noise(0, 2, 3072).astype(np.int16)},
        {"data": np.array([["a"], [{}]], dtype=object)},
        {"data": [1, 2]},
        {"data": None},
    ],
)
def test_a_batch_with_other_data(replaced, tmp_path):
    message = refused(write_batches(tmp_path, **replaced), CIFAR)
    assert message.startswith(f"{tmp_path}/test_batch: expected 'data' with 3072 bytes an image")


@pytest.mark.parametrize("labels", [[1], [1, 10], [-1, 1], [0.5, 1], ["a", "b"], [], None])
def test_a_batch_with_other_labels(labels, tmp_path):
    message = refused(write_batches(tmp_path, labels=labels), CIFAR)
    assert "test_batch: labels: expected 2 whole numbers from 0 to 9, got others" in message


def doubled(opened: bytes, times: int) -> bytes:
    """A pickle of a list of two times the same list of two times ..., as a label of a batch."""
    again = b"".join(b"]q%c(h%ch%ce" % (n, n - 1, n - 1) for n in range(2, times))
    return b"\x80\x02" + opened + b"K\x01q\x01" + again + b"s."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x80\x02}r\xff\xff\xff\x7f.", "a reference numbered 2,147,483,647 as the 1."),
        (b"}p2147483647\n.", "a reference numbered 2,147,483,647 as the 1."),
        (doubled(b"}U\x06labels", 60), "116 references back"),
    ],
)
def test_a_pickle_that_would_fill_the_memory(content, said, tmp_path):
    """The first takes 34 GB for the number of its only value, the last for 2^58 labels."""
    (write_batches(tmp_path) / "test_batch").write_bytes(content)
    assert refused(tmp_path, CIFAR) == (
        f"{tmp_path}/test_batch: expected a batch of CIFAR-10 for Python, got '{said}'; download "
        "it again"
    )


def test_a_pickle_that_is_no_batch(tmp_path):
    (write_batches(tmp_path) / "test_batch").write_bytes(pickle.dumps([1, 2]))
    assert "expected 'data' with 3072 bytes an image" in refused(tmp_path, CIFAR)


def test_batches_for_a_network_of_another_size(tmp_path):
    message = refused(write_batches(tmp_path), GREY)
    assert "expected images of 1 channel of 8x10 pixels for the network 'lenet', got 3" in message
