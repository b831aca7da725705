"""Every malformed instance gives one message (file, field, expected, got) and leaves no file.

Each file of `bad_input/` differs from `valid.json` by one defect, so that a diff shows it.
"""

import difflib
import re
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from commands import run

from optmodel.ground.rule_errors import InputError
from optmodel.problem.instance import read_instance

BAD_INPUT = Path(__file__).parent / "bad_input"
VALID = BAD_INPUT / "valid.json"

HELPER_RATE = "devices[1].rate_bits_per_s"
POOL = "networks[0].layers[2]"

# name of the file: (field, part of what is expected, part of what was got)
BAD_FIELDS = {
    # types
    "wrong_type": (HELPER_RATE, "a valid number", "'fast'"),
    "number_as_text": (HELPER_RATE, "a valid number", "'7.2e6'"),
    "boolean_as_number": (HELPER_RATE, "a valid number", "True"),
    "null": (HELPER_RATE, "a valid number", "None"),
    "fraction_of_a_map": ("networks[0].layers[0].output_maps", "a valid integer", "2.5"),
    # fields
    "unknown_field": ("devices[1].colour", "no such field", "one"),
    "missing_field": (HELPER_RATE, "a value", "nothing"),
    "unknown_schema_version": ("schema_version", "1", "2"),
    "unknown_policy": ("unattainable", "'reject' or 'source'", "'ignore'"),
    "unknown_layer_kind": (f"{POOL}.kind", "'conv', 'act', 'pool', 'fc'", "'dropout'"),
    "layer_without_kind": (f"{POOL}.kind", "a value", "nothing"),
    # numbers
    "nan": (HELPER_RATE, "a finite number", "nan"),
    "infinity": (HELPER_RATE, "a finite number", "inf"),
    "minus_infinity": (HELPER_RATE, "a finite number", "-inf"),
    "overflow": (HELPER_RATE, "a finite number", "inf"),
    "negative_rate": (HELPER_RATE, "greater than or equal to 0.001", "-7200000.0"),
    "zero_rate": (HELPER_RATE, "greater than or equal to 0.001", "0"),
    "negative_memory": ("devices[1].memory_bytes", "greater than or equal to 0", "-1000000.0"),
    "zero_period": ("period_s", "greater than 0", "0"),
    "tiny_rate": (HELPER_RATE, "greater than or equal to 0.001", "5e-324"),
    "uneven_rates": (HELPER_RATE, "at least 0.0722 (a billionth of the fastest", "0.07"),
    "half_a_byte": ("word_bits", "a multiple of 8", "12"),
    "ssim_above_one": ("ssim_table.rows[0].measurements[1].ssim", "less than or equal to 1", "1.2"),
    "ssim_below_minus_one": (
        "ssim_table.rows[0].measurements[0].ssim",
        "greater than or equal to -1",
        "-1.2",
    ),
    "tolerance_above_one": ("requests[1].tolerated_ssim", "less than or equal to 1", "80"),
    "tolerance_nan": ("requests[1].tolerated_ssim", "a finite number", "nan"),
    "no_requests": ("requests", "at least 1 item", "[]"),
    # names
    "empty_id": ("devices[1].id", "at least 1 character", "''"),
    "duplicate_device": ("devices[1].id", "a value used once", "'helper-1'"),
    "duplicate_source": ("sources[1].id", "a value used once", "'camera-1'"),
    "device_and_source_share_an_id": ("sources[1].id", "a name that no device has", "'helper-2'"),
    "duplicate_network": ("networks[1].id", "a value used once", "'digits'"),
    "duplicate_layer": ("networks[0].layers[1].name", "a value used once", "'conv1'"),
    "duplicate_request": ("requests[1].id", "a value used once", "'r1'"),
    "duplicate_ssim_row": ("ssim_table.rows[1].row", "a value used once", "'block1'"),
    "duplicate_measurement": ("ssim_table.rows[0].measurements[1].maps", "a value used once", "1"),
    "duplicate_key": ("rate_bits_per_s", "each key once", "it twice"),
    # references
    "dangling_source": ("requests[1].source", "a source (camera-1, camera-2)", "'camera-3'"),
    "device_as_source": ("requests[1].source", "a source (camera-1, camera-2)", "'helper-1'"),
    "dangling_network": ("requests[1].network", "a network (digits, edges)", "'letters'"),
    "dangling_ssim_row": (f"{POOL}.ssim_row", "a row of the SSIM table (block1", "'block3'"),
    # shapes of layers
    "image_channels_mismatch": ("networks[1].layers[0].input_maps", "1 (what the image", "3"),
    "input_maps_mismatch": ("networks[0].layers[1].input_maps", "2 (what conv1 puts out)", "3"),
    "act_changes_the_size": ("networks[0].layers[1].output_height", "4 x 4", "4 x 2"),
    "conv_grows": ("networks[0].layers[0].output_height", "a size that kernel 3 makes of 6", "40"),
    "stated_stride_makes_another_size": (
        "networks[0].layers[0].output_height",
        "2 to 3 (kernel 3, stride 3, padding up to 'same' or 4 pixels on 6)",
        "4",
    ),
    "unknown_layer_field": ("networks[0].layers[0].groups", "no such field (layers are", "one"),
    "input_neurons_mismatch": (
        "networks[0].layers[3].input_neurons",
        "8 (what pool1 puts out)",
        "9",
    ),
    "fc_neurons_mismatch": ("networks[0].layers[4].input_neurons", "5 (what fc1 puts out)", "6"),
    "fc_first": ("networks[1].layers[0].kind", "conv, act or pool", "fc"),
    "fc_before_conv": (
        "networks[1].layers[1].kind",
        "fc only after the last conv, act or pool",
        "fc 'fc1' before conv 'conv2'",
    ),
}

BAD_FILES = {
    "empty": (None, "JSON", "line 1 column 1"),
    "not_json": (None, "JSON", "line 7 column 2"),
    "cut_off": (None, "JSON", "line 28 column 2"),
    "not_utf8": (None, "JSON", "can't decode byte 0xfc"),
    "utf16": (None, "JSON", ""),
    "byte_order_mark": (None, "JSON", ""),
    "half_a_character": (None, "JSON", "line 20"),
    "array": (None, "an object", "[{'schema_version': 1"),
}

MESSAGE = re.compile(
    r"(?P<file>[^:]+): (?:(?P<field>\S+): )?"
    r"expected (?P<expected>.+), got (?P<got>.+?); (?P<repair>.+)"
)


def refusal(path: Path) -> re.Match[str]:
    """Return the message with which a file is refused, in parts."""
    with pytest.raises(InputError) as caught:
        read_instance(path)
    parts = MESSAGE.fullmatch(str(caught.value))
    assert parts, f"not of the form 'file: field: expected, got; repair': {caught.value}"
    assert parts["file"] == str(path)
    return parts


def test_the_valid_file_is_accepted():
    assert read_instance(VALID).name == "valid"


def test_every_file_has_its_expected_message():
    assert {path.stem for path in BAD_INPUT.iterdir()} == {*BAD_FIELDS, *BAD_FILES, "valid"}


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_a_bad_field_differs_from_the_valid_file_in_one_place(name):
    bad, valid = ((BAD_INPUT / f"{n}.json").read_text().splitlines() for n in (name, "valid"))
    changes = difflib.SequenceMatcher(None, valid, bad, autojunk=False).get_opcodes()
    assert sum(tag != "equal" for tag, *_ in changes) == 1


@pytest.mark.parametrize(
    ("name", "field", "expected", "got"),
    [pytest.param(name, *parts, id=name) for name, parts in (BAD_FIELDS | BAD_FILES).items()],
)
def test_a_defect_gives_one_short_message_in_the_words_of_the_format(name, field, expected, got):
    message = refusal(BAD_INPUT / f"{name}.json")
    assert message["field"] == field
    assert expected in message["expected"]
    assert got in message["got"]
    assert "more)" not in message["repair"]
    assert len(message.string.removeprefix(message["file"])) < 250
    assert not re.match(r"Input|Tuple|String|Unable|Invalid", message["expected"])


@pytest.mark.parametrize(
    "field", ['"line\\nbreak": 1', '"line\\nbreak": 1, "line\\nbreak": 2', '"": 1']
)
def test_a_strange_key_does_not_break_the_message(tmp_path, field):
    file = tmp_path / "strange.json"
    file.write_text(VALID.read_text().replace("{", "{" + field + ",", 1))
    assert refusal(file)["field"]


def test_a_line_break_in_a_name_does_not_break_the_message(tmp_path):
    text = (BAD_INPUT / "input_maps_mismatch.json").read_text()
    file = tmp_path / "strange.json"
    file.write_text(text.replace('"conv1"', r'"conv\n1"', 1))
    assert refusal(file)["field"].startswith("networks[0].layers")


def test_a_file_of_200_mb_is_refused_without_reading_it(tmp_path):
    file = tmp_path / "huge.json"
    with file.open("wb") as stream:
        stream.truncate(200_000_000)
    tracemalloc.start()
    try:
        message = refusal(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (message["expected"], message["got"]) == ("at most 64 MB", "200 MB")
    assert peak < 1_000_000


@pytest.mark.parametrize("levels", [300, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"name":'])
def test_deep_nesting_is_refused(tmp_path, levels, opening):
    closing = "]" if opening == "[" else "}"
    file = tmp_path / "deep.json"
    file.write_text(opening * levels + "1" + closing * levels)
    message = refusal(file)
    assert message["field"] is None
    assert "nested a few levels deep" in message["expected"]


def test_deep_nesting_inside_a_field_is_refused(tmp_path):
    file = tmp_path / "deep.json"
    file.write_text(VALID.read_text().replace('"valid"', "[" * 300 + "]" * 300, 1))
    assert "nested a few levels deep" in refusal(file)["expected"]


def test_a_missing_file_is_refused(tmp_path):
    message = refusal(tmp_path / "missing.json")
    assert message["expected"] == "a readable file"
    assert message["got"] == "'No such file or directory'"


def test_a_folder_is_refused(tmp_path):
    message = refusal(tmp_path)
    assert (message["expected"], message["got"]) == ("a file", "a folder")


def test_the_command_line_solves_the_valid_file(tmp_path):
    out = tmp_path / "solution.json"
    done = run("optmodel", VALID, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert out.exists()


@pytest.mark.parametrize(
    "name", ["nan", "unknown_field", "dangling_source", "not_json", "array", "missing"]
)
def test_the_command_line_prints_the_message_exits_with_2_and_writes_nothing(tmp_path, name):
    file = BAD_INPUT / f"{name}.json"
    message = refusal(file).string
    done = run("optmodel", file, "--out", tmp_path / "solution.json", "--lp", tmp_path / "model.lp")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Error: {message}\n"
    assert not list(tmp_path.iterdir())


GENERATOR_DEFAULTS = {"--network": "lenet", "--devices": "4", "--out": "made.json"}


def run_generator(folder: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run the generator with some options changed, writing into a folder."""
    options = GENERATOR_DEFAULTS | {f"--{k.replace('_', '-')}": v for k, v in changed.items()}
    options["--out"] = str(folder / options["--out"])
    return run("instances.generate", *(part for pair in options.items() for part in pair))


def test_the_generator_writes_with_the_options_that_the_bad_ones_vary(tmp_path):
    assert run_generator(tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["made.json"]


BAD_OPTIONS = [
    ({"network": "resnet"}, r"--network: expected one of .*lenet.*, got 'resnet'"),
    ({"network": "lenet=0"}, r"--network: expected lenet=1 or more, got 'lenet=0'"),
    ({"network": "lenet=2", "requests": "3"}, r"--requests: expected 2 .*, got 3"),
    ({"fleet": "rpi3=2"}, r"--devices: expected 2 .*, got 4"),
    ({"fleet": "cray=4"}, r"--fleet: expected one of .*rpi3.*, got 'cray'"),
    ({"devices": "0"}, r"--devices"),
    ({"devices": "four"}, r"--devices"),
    ({"tolerated_ssim": "nan"}, r"tolerated.ssim: expected .*, got nan"),
    ({"tolerated_ssim": "1.5"}, r"tolerated.ssim: expected .*, got 1\.5"),
    ({"period_s": "-1"}, r"period.s: expected .*, got -1"),
    ({"period_s": "0"}, r"period.s: expected .*, got 0"),
    ({"period_s": "nan"}, r"period.s: expected .*, got nan"),
    ({"memory_scale": "-1"}, r"memory.*: expected .*, got -1"),
    ({"bandwidth_scale": "inf"}, r"bandwidth.*: expected .*, got inf"),
    ({"unattainable": "hope"}, r"--unattainable: expected reject or source, got 'hope'"),
    ({"ssim": "missing.json"}, r"missing\.json: expected a readable file, got"),
    ({"out": "missing/made.json"}, r"made\.json: expected a file name in a writable folder"),
    ({"out": "."}, r"expected a file name in a writable folder"),
]


@pytest.mark.parametrize(
    ("options", "message"),
    BAD_OPTIONS,
    ids=[" ".join(f"{k}={v}" for k, v in options.items()) for options, _ in BAD_OPTIONS],
)
def test_the_generator_refuses_bad_options_with_2_and_writes_nothing(tmp_path, options, message):
    done = run_generator(tmp_path, **options)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(message, done.stderr)
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
