"""The networks of the literature: as large as published, trainable at reduced size, and loadable elsewhere."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import scipy.linalg

from srcnn_lib import models, superresolution, training
from srcnn_lib.models import blocks
from tests.conftest import ROOT

PARAMETERS = {
    "SRCNN 9-1-5, one channel": 8_129,
    "ESPCN ×2, one channel": 21_284,
    "VDSR, one channel": 664_704,
    "DRRN B1U25, one channel": 297_216,
    "LapSRN ×4, one channel": 870_112,
    "EDSR baseline ×2": 1_369_859,
    "NAFNet, width 32": 17_111_907,
    "SPAN ×4": 150_688,
}
LARGE = {"EDSR ×2": 40_729_603, "MDSR ×2, ×3, ×4": 7_953_987, "RCAN ×4": 15_592_355, "SAN ×2": 15_674_732}
SAME_SIZE = ("srcnn", "vdsr", "drrn", "nafnet")
# What makes each small enough to learn in a test.
REDUCED = {
    "SRCNN 9-1-5, one channel": {},
    "ESPCN ×2, one channel": {},
    "FSRCNN ×3, one channel": {},
    "VDSR, one channel": {"width": 16, "depth": 5},
    "DRRN B1U25, one channel": {"width": 16, "units": 3},
    "LapSRN ×4, one channel": {"width": 12, "depth": 2},
    "SRResNet ×4": {"width": 16, "blocks": 2},
    "EDSR baseline ×2": {"width": 16, "blocks": 2},
    "EDSR ×2": {"width": 24, "blocks": 2},
    "MDSR ×2, ×3, ×4": {"width": 16, "blocks": 2},
    "SAN ×2": {"width": 16, "groups": 2, "blocks": 1, "reduction": 4},
    "WRAN ×2": {"width": 16, "blocks": 2},
    "RCAN ×4": {"width": 16, "groups": 1, "blocks": 2, "reduction": 4},
    "NAFNet, width 32": {"width": 8, "encoders": (1, 1), "decoders": (1, 1)},
    "SPAN ×4": {"blocks": 3},
}


def reduced(name: str, scale: int = 1) -> keras.Model:
    module = models.PUBLISHED[name].module
    scaled = {} if module in SAME_SIZE else {"scale": scale}
    return models.build_published(name, channels=3, **REDUCED[name], **scaled)


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_networks_are_as_large_as_published(name):
    assert models.build_published(name).count_params() == PARAMETERS[name]


@pytest.mark.zoo
@pytest.mark.parametrize("name", LARGE)
def test_the_large_networks_are_as_large_as_published(name):
    assert models.build_published(name).count_params() == LARGE[name]


def test_counts_of_weights_alone_are_those_published():
    for name, published in (("SRCNN 9-1-5, one channel", 8_032), ("FSRCNN ×3, one channel", 12_464)):
        assert models.counts(models.build_published(name))["weights alone"] == published
    srresnet = models.counts(models.build_published("SRResNet ×4"))
    assert srresnet["parameters, built"] - srresnet["not trained"] == 1_547_350


@pytest.mark.parametrize(("scale", "parameters"), [(3, 1_554_499), (4, 1_517_571)])
def test_other_scales_are_as_large_as_published(scale, parameters):
    assert models.build_published("EDSR baseline ×2", scale=scale).count_params() == parameters


@pytest.mark.zoo
@pytest.mark.parametrize("name", models.PUBLISHED)
def test_every_network_learns_a_few_crops_of_any_size(name, rng):
    keras.utils.set_random_seed(1)
    network = reduced(name)
    smooth = np.linspace(0.2, 0.8, 13 * 18 * 3, dtype=np.float32).reshape(1, 13, 18, 3)
    high = np.repeat(smooth, 4, axis=0) + rng.normal(0, 0.02, (4, 13, 18, 3)).astype(np.float32)
    low = 0.7 * high + 0.1
    assert network(low).shape == low.shape
    network.compile(keras.optimizers.Adam(5e-3), training.LOSSES["mse"])
    before = network.evaluate(low, high, verbose=0)
    network.fit(low, high, batch_size=4, epochs=40, verbose=0)
    assert network.evaluate(low, high, verbose=0) < 0.5 * before


@pytest.mark.zoo
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("name", [name for name in models.PUBLISHED if models.PUBLISHED[name].module not in SAME_SIZE])
def test_super_resolution_networks_enlarge(name, scale):
    if scale == 3 and models.PUBLISHED[name].module in ("lapsrn", "wran"):
        with pytest.raises(ValueError, match="received 3"):
            reduced(name, scale)
    else:
        shape = reduced(name, scale)(np.zeros((2, 7, 9, 3), np.float32)).shape
        assert shape == (2, 7 * scale, 9 * scale, 3)


@pytest.mark.zoo
def test_every_network_is_the_same_in_another_process(tmp_path):
    image = np.random.default_rng(1).random((1, 11, 14, 3), dtype=np.float32)
    np.save(tmp_path / "image.npy", image)
    expected = {}
    for number, name in enumerate(models.PUBLISHED):
        keras.utils.set_random_seed(number)
        network = reduced(name)
        training.save(network, tmp_path / f"{number}.keras")
        expected[str(number)] = np.asarray(network(image))
    code = (
        "import sys, numpy as np; from pathlib import Path; from srcnn_lib import training; folder = Path(sys.argv[1]);"
        "image = np.load(folder / 'image.npy');"
        "np.savez(folder / 'outputs.npz', **{f.stem: training.load(f)(image) for f in folder.glob('*.keras')})"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=True)
    outputs = np.load(tmp_path / "outputs.npz")
    for number, output in expected.items():
        assert np.allclose(outputs[number], output, atol=1e-6), list(models.PUBLISHED)[int(number)]


@pytest.mark.zoo
def test_one_mdsr_serves_several_scales():
    network = models.build_published("MDSR ×2, ×3, ×4", width=8, blocks=1)
    outputs = network([np.zeros((1, 5, 6, 3), np.float32)] * 3)
    assert [tuple(output.shape) for output in outputs] == [(1, 5 * scale, 6 * scale, 3) for scale in (2, 3, 4)]


def test_haar_bands_of_an_image_give_it_back(rng):
    image = rng.random((2, 6, 8, 3), dtype=np.float32)
    a, b, c, d = (image[:, row::2, column::2] for row in (0, 1) for column in (0, 1))
    bands = [a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d]
    assert np.allclose(blocks.InverseHaar()(np.concatenate(bands, axis=-1) / 2), image, atol=1e-6)


def test_second_order_pooling_is_the_mean_of_the_matrix_root(rng):
    features = rng.normal(size=(1, 40, 50, 4)).astype(np.float32) * (1, 1.3, 0.8, 1.1)
    root = scipy.linalg.sqrtm(np.cov(features.reshape(-1, 4).T, bias=True))
    pooled = blocks.SecondOrderPooling(iterations=12)(features.astype(np.float32))
    assert np.allclose(pooled[0, 0, 0], root.real.mean(axis=0), rtol=1e-3)


@pytest.mark.zoo
def test_the_survey_quotes_the_parameters_of_what_is_built():
    survey = superresolution.survey().set_index("network")
    for name in models.PUBLISHED:
        short = name.split(" ×")[0].split(",")[0]
        if short in survey.index:
            assert models.build_published(name).count_params() == pytest.approx(survey["parameters"][short], rel=0.03)
            twice = {} if models.PUBLISHED[name].module in SAME_SIZE else {"scale": 2}
            cost = models.multiply_adds(models.build_published(name, **twice))
            assert cost == survey["multiply-adds per pixel"][short]


def test_unknown_networks_and_scales_are_named():
    with pytest.raises(ValueError, match="unknown network 'none'; the known ones are SRCNN 9-1-5, one channel, ESPCN"):
        models.build_published("none")
    with pytest.raises(ValueError, match="scale: expected 2, 3, 4 or 8, received 5"):
        models.build_published("EDSR baseline ×2", scale=5)
