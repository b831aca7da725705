"""Find a network: by the name of a built-in one, or in a file of the user's."""

import re
from pathlib import Path

from instances.cnns import NETWORKS
from optmodel.ground.json_files import parse_model
from optmodel.ground.rule_errors import InputError, one_line
from optmodel.ground.whole_files import read_bytes
from optmodel.problem import Instance, Network

SUFFIX = ".json"
NETWORKS_FIELD = re.compile(rb'"networks"\s*:')
"""What an instance has and the description of a network has not."""


def network_file(name: str) -> Path | None:
    """Return the file that a name stands for, None if it is that of a built-in network."""
    return Path(name) if name.endswith(SUFFIX) else None


def find_network(name: str) -> Network:
    """Return the network of a name, or of a file: its description, or an instance that has one.

    Parameters
    ----------
    name : str
        One of `NETWORKS`, or the path of a JSON file. The description is what stands below
        "networks" in an instance: id, image_channels, image_height, image_width and layers.

    Raises
    ------
    InputError
        If there is no such network, or the file cannot be used.
    """
    path = network_file(name)
    if path is not None:
        return _read(path)
    if name not in NETWORKS:
        raise InputError(
            f"--network: expected one of {', '.join(NETWORKS)}, or a file whose name ends in "
            f"{SUFFIX}, got '{one_line(name)}'; correct it"
        )
    return NETWORKS[name]()


def _read(path: Path) -> Network:
    content = read_bytes(path)
    if not NETWORKS_FIELD.search(content):
        network, field = parse_model(content, Network, str(path)), "id"
    else:
        [network], field = _required_one(path, content), "networks[0].id"
    if network.id in NETWORKS and network != NETWORKS[network.id]():
        raise InputError(
            f"{path}: {field}: expected a name that no built-in network with other layers has, got "
            f"'{network.id}'; rename it"
        )
    return network


def _required_one(path: Path, content: bytes) -> tuple[Network, ...]:
    networks = parse_model(content, Instance, str(path)).networks
    if len(networks) > 1:
        names = one_line(", ".join(network.id for network in networks))
        raise InputError(
            f"{path}: networks: expected one, got {len(networks)} ({names}); write the one that is "
            "meant into a file of its own"
        )
    return networks
