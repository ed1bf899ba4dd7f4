import ast
from typing import get_args

import jupytext
import pytest
import yaml

from srcnn_lib import graph, preprocess, settings
from srcnn_lib.errors import SettingsError
from srcnn_lib.execution import declared_parameters

PROFILES = sorted(settings.PROFILES.glob("*.yaml"))


def changed(tmp_path, **changes):
    content = yaml.safe_load((settings.PROFILES / "ci.yaml").read_text()) | changes
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value != "remove"}))
    return path


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_profiles_are_sound(path):
    assert settings.load(path).image_size == 256


def test_the_profiles_exist_and_published_is_the_originals_recipe():
    assert {path.stem for path in PROFILES} == {"ci", "standard", "long", "published", "full"}
    published = settings.load(settings.PROFILES / "published.yaml")
    assert (published.train_pairs, published.validation_pairs, published.test_pairs) == (700, 130, 25)
    assert (published.crop_size, published.batch_size, published.epochs) == (0, 10, 40)
    assert (published.learning_rate, published.label_steps) == (0.0008, ["denoise"])
    full = settings.load(settings.PROFILES / "full.yaml")
    assert full.train_pairs + full.validation_pairs + full.test_pairs == 2 * full.identities == 4060


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epoch": 3}, ["unknown key 'epoch'", "known keys", "epochs"]),
        ({"epochs": "remove"}, ["'epochs' is missing"]),
        ({"epochs": 0}, ["'epochs'", "greater than or equal to 1", "received 0"]),
        ({"learning_rate": "fast"}, ["'learning_rate'", "received 'fast'"]),
        ({"label_steps": ["polish"]}, ["label_steps.0", "received 'polish'"]),
        ({"model": "vgg"}, ["'model'", "srcnn-9-1-5", "rcan-light", "received 'vgg'"]),
        ({"native_models": ["house", "vgg"]}, ["'native_models'", "house", "rcan-light", "received 'vgg'"]),
        ({"model": "rcan-light"}, ["'start'", "expected random", "rcan-light"]),
        ({"crop_size": 512}, ["'crop_size'", "received 512"]),
    ],
)
def test_bad_settings_are_named(tmp_path, changes, words):
    with pytest.raises(SettingsError) as caught:
        settings.load(changed(tmp_path, **changes))
    for word in [*words, "changed.yaml"]:
        assert word in str(caught.value)


def test_light_networks_of_the_literature_can_be_trained(tmp_path):
    chosen = {"model": "edsr-light", "start": "random", "native_models": ["house", "rcan-light"]}
    assert settings.load(changed(tmp_path, **chosen)).native_models == ["house", "rcan-light"]


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [1\n", ""])
def test_a_file_that_is_no_profile_is_named(tmp_path, content):
    (tmp_path / "odd.yaml").write_text(content)
    with pytest.raises(SettingsError, match=r"odd\.yaml"):
        settings.load(tmp_path / "odd.yaml")


def test_a_missing_profile_lists_the_known_ones():
    with pytest.raises(SettingsError, match="ci, full, long, published, standard"):
        settings.load(settings.PROFILES / "fast.yaml")


@pytest.mark.parametrize("source", graph.notebooks(), ids=lambda path: path.stem)
def test_parameters_of_notebooks_are_settings_at_their_standard_values(source):
    standard = settings.load(settings.PROFILES / "standard.yaml").model_dump() | {"run_folder": "../reports/standard"}
    notebook = jupytext.read(source)
    (cell,) = [cell for cell in notebook.cells if cell.metadata.get("tags") == ["parameters"]]
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(cell.source).body}
    assert list(values) == declared_parameters(notebook)
    assert "run_folder" in values
    assert values == {name: standard[name] for name in values}


def test_settings_know_the_steps_that_there_are():
    assert set(get_args(settings.Step)) == set(preprocess.STEPS)
