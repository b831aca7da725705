"""A network is found by name, or in a file that describes it or an instance that has it."""

import json
from pathlib import Path

import pytest
from commands import refusal_of

from instances.cnns import NETWORKS, Conv, Fc, Pool, trace
from instances.generate import Recipe, command_line, generate
from instances.networks import find_network, network_file
from optmodel.ground.json_files import write_model
from optmodel.ground.rule_errors import InputError
from optmodel.problem.network import Network

OWN = trace("porch", 3, 16, [Conv("1", 4, 3, "MNIST Conv1"), Pool("1"), Fc("1", 2)])


@pytest.fixture
def own(tmp_path: Path) -> Path:
    write_model(tmp_path / "porch.json", OWN)
    return tmp_path / "porch.json"


def refused(name: object) -> str:
    with pytest.raises(InputError) as raised:
        find_network(str(name))
    return str(raised.value)


def changed(file: Path, **changes: object) -> Path:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return file


def instance_of(file: Path, *networks: str) -> Path:
    write_model(file, generate(Recipe(networks, devices=2), "made"))
    return file


def test_a_built_in_network_is_found_by_its_name():
    assert find_network("lenet") == NETWORKS["lenet"]()
    assert network_file("lenet") is None


def test_a_file_describes_a_network(own):
    assert find_network(str(own)) == OWN
    assert network_file(str(own)) == own


def test_an_instance_has_a_network(own, tmp_path):
    assert find_network(str(instance_of(tmp_path / "a.json", str(own)))) == OWN
    synthetic = find_network(str(instance_of(tmp_path / "b.json", "synthetic3")))
    assert synthetic.id == "synthetic3"


def test_an_instance_of_several_networks_is_refused(own, tmp_path):
    file = instance_of(tmp_path / "two.json", str(own), "lenet")
    assert refused(file) == (
        f"{file}: networks: expected one, got 2 (porch, lenet); write the one that is meant into a "
        "file of its own"
    )


def test_another_name_is_refused_with_those_there_are():
    assert refused("alexnet").startswith("--network: expected one of lenet, cifar_cnn, ")
    assert refused("\x1b[2J").endswith(r"name ends in .json, got '\x1b[2J'; correct it")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "expected JSON"),
        ("[]", "expected"),
        ("{}", "id: expected a value, got nothing; add the field"),
        ('{"networks": []}', "expected a value, got nothing"),
    ],
)
def test_a_file_that_holds_no_network_is_refused(content, expected, tmp_path):
    (tmp_path / "a.json").write_text(content)
    message = refused(tmp_path / "a.json")
    assert message.startswith(f"{tmp_path}/a.json: ")
    assert expected in message


def test_a_missing_file_is_refused(tmp_path):
    assert refused(tmp_path / "none.json").startswith(f"{tmp_path}/none.json: expected a readable")


def test_a_layer_called_networks_makes_no_instance(own):
    layers = json.loads(own.read_text())["layers"]
    layers[0]["name"] = "networks"
    assert find_network(str(changed(own, layers=layers))).layers[0].name == "networks"


def test_another_network_under_a_built_in_name_is_refused(own):
    """Figures and tables would tell its layers by those of the built-in one."""
    message = refused(changed(own, id="lenet"))
    assert message == (
        f"{own}: id: expected a name that no built-in network with other layers has, got 'lenet'; "
        "rename it"
    )
    write_model(own, NETWORKS["lenet"]())
    assert find_network(str(own)) == NETWORKS["lenet"]()


def test_an_instance_is_generated_of_files_and_names_with_counts(own):
    recipe = Recipe((f"{own}=2,lenet", f"{own}"), devices=3)
    made = generate(recipe, "made")
    assert sorted(request.network for request in made.requests) == ["lenet", *["porch"] * 3]
    assert [network.id for network in made.networks] == ["porch", "lenet"]
    assert f"--network {own}=2,lenet --network {own}" in command_line(recipe, "a.json", "")


def test_two_files_of_networks_of_one_name_are_refused(own, tmp_path):
    other = OWN.model_copy(update={"layers": OWN.layers[:2]})
    write_model(tmp_path / "other.json", Network.model_validate(other))
    with pytest.raises(InputError, match=r"networks\[1\].id: expected a value used once"):
        generate(Recipe((str(own), str(tmp_path / "other.json")), devices=3), "made")


def test_a_file_that_is_written_to_is_not_read_from(own):
    told = refusal_of("instances.generate", "--network", own, "--devices", 2, "--out", own)
    assert "got the name of another file of this command" in told
    assert find_network(str(own)) == OWN
