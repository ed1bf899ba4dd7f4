"""The light networks of every family, SRGAN's training, and the kept weights."""

import dataclasses
import json
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
import yaml

from srcnn_lib import evaluation, files, images, models, perceptual, recogniser, training, zoo
from srcnn_lib.errors import ForeseenError
from srcnn_lib.models import srgan
from srcnn_lib.runs import Run
from tests.conftest import ROOT

BUILT = (*models.NAMES, *models.LIGHT)
# What makes each small enough to learn in a test; SRCNN is, and begins where the short trainings of the report do.
REDUCED = {
    **{name: {"start": "identity"} for name in models.NAMES if name.startswith("srcnn")},
    "house": {"width": 12, "blocks": 1},
    "house-65k": {"width": 16, "blocks": 2},
    "house-large": {"widths": (12, 16), "blocks": (1, 1)},
    "espcn-light": {"features": 16, "maps": 16},
    "fsrcnn-light": {"width": 16, "thin": 8},
    "vdsr-light": {"depth": 4},
    "drrn-light": {"units": 2},
    "lapsrn-light": {"width": 12, "depth": 2},
    "srresnet-light": {"blocks": 2},
    "edsr-light": {"width": 16, "blocks": 2},
    "mdsr-light": {"blocks": 2},
    "rcan-light": {"groups": 1, "blocks": 2},
    "san-light": {"groups": 1},
    "wran-light": {"width": 16, "blocks": 2},
    "nafnet-light": {"width": 8, "encoders": (1, 1), "decoders": (1, 1)},
    "span-light": {"blocks": 3},
}


def crops(rng) -> tuple[np.ndarray, np.ndarray]:
    """Four crops of a size that no factor divides, and what a network is to make of them."""
    smooth = np.linspace(0.2, 0.8, 13 * 18 * 3, dtype=np.float32).reshape(1, 13, 18, 3)
    high = np.repeat(smooth, 4, axis=0) + rng.normal(0, 0.02, (4, 13, 18, 3)).astype(np.float32)
    return 0.7 * high + 0.1, high


@pytest.mark.zoo
@pytest.mark.parametrize("name", models.LIGHT)
def test_every_family_has_a_network_of_srcnns_cost(name):
    assert 18_000 <= models.multiply_adds(models.build(name)) <= 20_000


def test_multiply_adds_are_counted_as_layers_run():
    image = keras.Input((None, None, 2))
    twice = keras.layers.Conv2D(2, 3, padding="same")
    shared = keras.Model(image, twice(twice(image)))
    assert models.multiply_adds(shared) == 2 * 9 * 2 * 2
    larger = keras.layers.Conv2DTranspose(3, 4, 2, padding="same")(image)
    assert models.multiply_adds(keras.Model(image, larger)) == 4 * 4 * 2 * 3 / 2**2, "per pixel of the output"
    thin = keras.layers.DepthwiseConv2D(3, padding="same")(image)
    assert models.multiply_adds(keras.Model(image, thin)) == 9 * 2
    assert models.multiply_adds(keras.Model(image, shared(image))) == 2 * 9 * 2 * 2
    inner = keras.layers.Conv2D(4, 5)(keras.layers.Conv2D(2, 3, 2, padding="same")(image))
    assert models.multiply_adds(keras.Model(image, inner)) == 9 * 2 * 2 + 25 * 2 * 4, "without the border"


@pytest.mark.zoo
@pytest.mark.parametrize("name", BUILT)
def test_every_network_learns_a_few_crops_of_any_size(name, rng):
    keras.utils.set_random_seed(1)
    network = models.build(name, **REDUCED[name])
    low, high = crops(rng)
    rate = 1e-3 if name.startswith("srcnn") else 5e-3  # at full size the larger one would throw the good start away
    network.compile(keras.optimizers.Adam(rate), training.LOSSES["mse"])
    before = network.evaluate(low, high, verbose=0)
    network.fit(low, high, batch_size=4, epochs=40, verbose=0)
    assert network.evaluate(low, high, verbose=0) < 0.5 * before


@pytest.mark.zoo
def test_every_network_is_the_same_in_another_process(tmp_path):
    image = np.random.default_rng(1).random((1, 11, 15, 3), dtype=np.float32)
    np.save(tmp_path / "image.npy", image)
    expected = {}
    for number, name in enumerate(BUILT):
        keras.utils.set_random_seed(number)
        network = models.build(name)
        training.save(network, tmp_path / f"{name}.keras")
        expected[name] = np.asarray(network(image))
    code = (
        "import sys, numpy as np; from pathlib import Path; from srcnn_lib import training; folder = Path(sys.argv[1]);"
        "image = np.load(folder / 'image.npy');"
        "np.savez(folder / 'outputs.npz', **{f.stem: training.load(f)(image) for f in folder.glob('*.keras')})"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=True)
    outputs = np.load(tmp_path / "outputs.npz")
    for name, output in expected.items():
        assert output.shape == image.shape
        assert np.allclose(outputs[name], output, atol=1e-6), name


@pytest.mark.zoo
def test_srgans_discriminator_is_as_large_as_in_public_versions():
    weights = srgan.discriminator().trainable_weights
    assert sum(np.prod(weight.shape) for weight in weights) == 23_563_649


def test_the_discriminator_learns_while_the_generator_does(rng):
    keras.utils.set_random_seed(1)
    generator = models.build("srresnet-light", width=8, blocks=1)
    content = perceptual.loss(perceptual.features(recogniser.build(), recogniser.FEATURES))
    network = srgan.Adversarial(generator, srgan.discriminator(size=32, width=4, units=8), content, 0.01)
    high = rng.random((8, 32, 32, 3), dtype=np.float32).round()
    low = (high + 0.5) / 2
    before = generator.get_weights()
    network.compile(keras.optimizers.Adam(2e-3), training.LOSSES["mse"])
    history = network.fit(low, high, batch_size=4, epochs=8, verbose=0).history
    assert history["judging"][-1] < history["judging"][0] and history["told_apart"][-1] > 0.75
    assert history["content"][-1] < history["content"][0]
    assert any((one != other).any() for one, other in zip(before, generator.get_weights(), strict=True))
    assert np.array_equal(network(low), generator(low))


@pytest.fixture
def run(tmp_path, make_pairs):
    """A run with twelve pairs, for the parts of the zoo that read one."""
    names = [f"card {number}" for number in range(12)]
    data = make_pairs(names, size=(48, 64))
    folder = tmp_path / "run"
    record = {"run": "run", "profile": "ci", "data": {"drawn": False, "folder": str(data)}}
    files.write_text(folder / "run.yaml", yaml.safe_dump(record))
    pairs = pd.DataFrame({"name": names, "width": 64, "height": 48, "pool": "", "number": range(12)})
    pairs["low"] = [f"blurred_images/{name}.png" for name in names]
    pairs["high"] = [f"sharpened_images/{name}.png" for name in names]
    files.write_text(folder / "01_inspection/pairs.csv", pairs.to_csv(index=False))
    files.write_json(folder / "01_inspection/summary.json", {"data_sha256": "123"})
    split = pd.DataFrame({"name": names, "group": names, "part": ["train"] * 6 + ["validation"] * 6})
    files.write_text(folder / "03_split/split.csv", split.to_csv(index=False))
    return Run(folder)


def test_a_network_is_trained_once_scored_once_and_checked_when_it_is_loaded(tmp_path, run, monkeypatch):
    folder = tmp_path / "zoo"
    monkeypatch.setattr(zoo, "CROP", 24)
    monkeypatch.setattr(zoo, "EPOCH_STEPS", 2)
    monkeypatch.setattr(zoo, "WATCHED_SIZE", 32)
    monkeypatch.setattr(zoo, "READ", 1)
    monkeypatch.setattr(zoo, "SCORED", 2)
    monkeypatch.setattr(zoo, "RECIPE", dataclasses.replace(zoo.RECIPE, epochs=1))
    with pytest.raises(ForeseenError, match=r"espcn-light: not trained yet; `make zoo`"):
        zoo.load("espcn-light", folder)
    assert zoo.train(run, "espcn-light", folder) and not zoo.train(run, "espcn-light", folder)
    for name in (evaluation.UNTOUCHED, "espcn-light"):
        assert zoo.score(run, name, folder) and not zoo.score(run, name, folder)
    for change, again in ((3, True), (3, False), (2, True)):  # other cards, other scores
        monkeypatch.setattr(zoo, "SCORED", change)
        assert ("espcn-light" in zoo.kept(folder)) != again
        assert zoo.score(run, "espcn-light", folder) == again
    record = json.loads((folder / "espcn-light.json").read_text())
    assert record["data_sha256"] == "123" and len(record["scores"]) == 2 and len(record["history"]) == 1
    table = zoo.table(folder).set_index("network")
    assert list(table.index) == [evaluation.UNTOUCHED, "espcn-light"] and table["gain"].iloc[0] == 0
    own = table.loc["espcn-light"]
    assert own["gain_low"] <= own["gain"] <= own["gain_high"]
    assert own["MSE of crops"] == record["history"][0]["val_mse"] and np.isnan(table["MSE of crops"].iloc[0])
    (folder / f"{evaluation.UNTOUCHED}.json").unlink()
    assert zoo.table(folder)["gain"].isna().all() and len(zoo.table(tmp_path)) == 0
    image = images.read(run.data_folder / "blurred_images" / "card 1.png")
    assert evaluation.predict(zoo.load("espcn-light", folder), image).shape == image.shape
    file = folder / "espcn-light.keras"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(ForeseenError, match=r"espcn-light\.keras: expected SHA-256 [0-9a-f]{64}, received"):
        zoo.load("espcn-light", folder)
    file.unlink()
    with pytest.raises(ForeseenError, match=r"espcn-light\.keras: missing"):
        zoo.load("espcn-light", folder)


def test_kept_networks_are_not_trained_again_and_srgan_starts_from_the_kept_generator(run):
    folder = zoo.FOLDER
    for name in zoo.NAMES:
        record = zoo.kept()[name]
        assert record["recipe"] == zoo._recipe(name, folder) and not zoo._damage(record, folder)
        files.write_json(run.folder / "01_inspection/summary.json", {"data_sha256": record["data_sha256"]})
        assert not zoo.train(run, name) and not zoo.score(run, name)
    generator = zoo.kept()[zoo.GENERATOR]["sha256"]
    assert zoo._recipe(zoo.GAN, folder)["generator_sha256"] == generator


def test_cards_are_enhanced_once_to_be_scored_and_read(tmp_path, run):
    calls = []

    def brighter(image):
        calls.append(image.shape)
        return image + 1

    index = run.read_table("01_inspection/pairs.csv")
    read = evaluation.unsquashed(run.data_folder, index)
    methods = {evaluation.UNTOUCHED: lambda image: image, "brighter": brighter}
    judged = zoo.judge(["card 1", "card 2"], read, methods, None, cache_folder=tmp_path / "read")
    assert len(calls) == 2
    assert judged["method"].tolist() == [*methods] * 2 and judged["name"].tolist() == ["card 1"] * 2 + ["card 2"] * 2
    assert judged[["psnr", "errors", "characters"]].notna().all(axis=None)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ForeseenError, match=r"unknown network 'none'; the known ones are espcn-light, .*srgan-light"):
        zoo.load("none")
    with pytest.raises(ValueError, match=r"'none'.*house.*span-light"):
        models.build("none")


def test_kept_networks_are_small_and_cost_what_srcnn_does():
    assert set(zoo.kept()) == {*zoo.NAMES, evaluation.UNTOUCHED}
    assert sum(file.stat().st_size for file in zoo.FOLDER.iterdir()) <= 15 * 2**20
    networks = zoo.table().set_index("network").drop(evaluation.UNTOUCHED)
    assert networks["multiply-adds per pixel"].between(18_000, 20_000).all()


@pytest.mark.zoo
@pytest.mark.parametrize("name", zoo.NAMES)
def test_kept_weights_are_those_of_their_records(name):
    network, record = zoo.load(name), zoo.kept()[name]
    assert network.count_params() == record["parameters"]
    assert models.multiply_adds(network) == record["multiply-adds per pixel"]
