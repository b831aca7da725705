"""Read the images that ship: a balanced subset of Fashion-MNIST, under the licence beside it."""

from pathlib import Path

import numpy as np

from attack.data.limits import require_size
from attack.images import Images
from optmodel.network import Network

SHIPPED = Path(__file__).parents[1] / "fashion_mnist.npz"
SOURCE = "fashion-mnist (shipped)"


def load_shipped(network: Network) -> Images:
    """Return the 2,000 training and 500 test images that ship, as many of every class.

    Raises
    ------
    InputError
        If the network takes images of another size.
    """
    with np.load(SHIPPED, allow_pickle=False) as stored:
        pixels, labels, test = stored["pixels"], stored["labels"], stored["test"]
        classes = tuple(map(str, stored["classes"]))
    require_size(SOURCE, pixels.shape[1:], network)
    return Images(
        pixels=pixels,
        labels=labels,
        groups=np.arange(len(labels)),
        test=test,
        classes=classes,
        source=SOURCE,
    )
