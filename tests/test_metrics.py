import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d
from skimage import metrics as skimage_metrics

from srcnn_lib import metrics, superresolution

ON_ARRAYS = [metrics.mse, metrics.psnr, metrics.ssim, metrics.ms_ssim, metrics.gmsd]
WHOLE = {"data_range": 255, "channel": "rgb", "border": 0}


def noisy(truth, strength, seed=1):
    noise = np.random.default_rng(seed).normal(0, strength, truth.shape)
    return np.clip(truth + noise, 0, 255).round().astype(np.uint8)


def structured(shape):
    """A tilted ground with two bars of other colours, as a card has."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image = np.stack([120 + rows // 2, 200 - columns // 3, 90 + (rows + columns) // 4], axis=-1)
    image[shape[0] // 4 : shape[0] // 3, 10:-10] = (30, 40, 60)
    image[10:-10, shape[1] // 2 : shape[1] // 2 + 5] = (250, 240, 245)
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture
def two_images(rng):
    truth = rng.integers(0, 256, (31, 45, 3), dtype=np.uint8)
    return truth, noisy(truth, 12)


def test_mse_and_psnr_agree_with_scikit_image_and_tensorflow(two_images):
    truth, image = two_images
    mse, psnr = (function(truth, image, data_range=255) for function in (metrics.mse, metrics.psnr))
    assert mse * 255**2 == pytest.approx(skimage_metrics.mean_squared_error(truth, image), rel=1e-6)
    assert psnr == pytest.approx(skimage_metrics.peak_signal_noise_ratio(truth, image), rel=1e-6)
    assert psnr == pytest.approx(float(tf.image.psnr(truth, image, max_val=255)), rel=1e-6)


def test_tensor_versions_agree_with_those_on_arrays(two_images):
    truth, image = two_images
    tensors = [side[None].astype(np.float32) / 255 for side in two_images]
    assert float(metrics.pixel_mse(*tensors)[0]) == pytest.approx(metrics.mse(truth, image, data_range=255), rel=1e-6)
    assert float(metrics.batch_psnr(*tensors)[0]) == pytest.approx(metrics.psnr(truth, image, data_range=255), rel=1e-6)
    assert float(metrics.log10(np.float32(1000))) == pytest.approx(3)


def test_losses_of_detail_see_what_they_are_for():
    grey = np.full((1, 8, 8, 3), 0.5, np.float32)
    brighter, spotted, edged = grey + 0.1, grey.copy(), grey.copy()
    spotted[0, 3, 4, 1] += 0.4
    edged[:, :, 4:] += 0.1
    distance = {
        loss: [float(loss(grey, image)[0]) for image in (grey, brighter, spotted, edged)]
        for loss in (metrics.frequency_distance, metrics.gradient_distance)
    }
    same, flat, spot, _ = distance[metrics.frequency_distance]
    assert same == pytest.approx(1e-6, rel=0.1)
    assert flat == pytest.approx(
        0.1 * 8 / 64, rel=1e-3
    )  # one frequency of 64 differs, by 0.1 times the square root of 64
    assert spot == pytest.approx(0.4 / 8 / 3, rel=1e-3)  # all differ alike, in one channel of three
    same, flat, _, edge = distance[metrics.gradient_distance]
    assert same == pytest.approx(0.003) and flat == pytest.approx(0.102, rel=1e-3)
    assert edge == pytest.approx(0.05 + 0.0005 + (0.1 + 6 * 0.001) / 7 + 0.001, rel=1e-2)


# In smooth parts TensorFlow's float32 costs digits, as the docstring of `ssim` says.
@pytest.mark.parametrize(("kind", "digits"), [("noise", 5e-6), ("structured", 2e-4)])
@pytest.mark.parametrize("strength", [2, 12, 60])
def test_agreement_with_both_libraries(rng, kind, digits, strength):
    shape = (177, 190, 3)  # an odd side makes MS-SSIM continue the image
    truth = structured(shape) if kind == "structured" else rng.integers(0, 256, shape, dtype=np.uint8)
    table = metrics.agreement(truth, noisy(truth, strength)).set_index("metric")
    assert list(table.columns) == ["ours", "scikit-image", "tf.image"]
    assert list(table.index) == ["MSE", "PSNR", "SSIM", "MS-SSIM", "log10"]
    assert table.loc[["MSE", "MS-SSIM"], ["scikit-image", "tf.image"]].isna().to_numpy().tolist() == [
        [False, True],
        [True, False],
    ]
    for library, tolerance in (("scikit-image", 1e-12), ("tf.image", 1e-6)):
        compared = table.dropna(subset=library).drop(index=["SSIM", "MS-SSIM"], errors="ignore")
        assert compared[library].to_numpy() == pytest.approx(compared["ours"].to_numpy(), rel=tolerance)
    assert table.loc["SSIM", "scikit-image"] == pytest.approx(table.loc["SSIM", "ours"], rel=1e-12)
    for name in ("SSIM", "MS-SSIM"):
        assert table.loc[name, "tf.image"] == pytest.approx(table.loc[name, "ours"], abs=digits)


def test_agreement_on_identical_and_on_small_images(two_images):
    truth, image = two_images
    same = metrics.agreement(truth, truth).set_index("metric")
    assert (same.loc["PSNR"] == np.inf).all() and (same.loc["log10"] == -np.inf).all()
    assert same.loc["SSIM"].tolist() == pytest.approx([1, 1, 1])
    assert metrics.agreement(truth, image).set_index("metric").loc["MS-SSIM"].isna().all()
    with pytest.raises(ValueError, match="received uint8 and float64"):
        metrics.agreement(truth, image / 255)


def test_ssim_is_its_formula(two_images):
    """On the one window of an 11×11 image, by hand."""
    a, b = (side[:11, :11, 0].astype(float) for side in two_images)
    bell = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = np.outer(bell, bell) / bell.sum() ** 2
    mean_a, mean_b = (window * a).sum(), (window * b).sum()
    variances = (window * (a - mean_a) ** 2).sum() + (window * (b - mean_b) ** 2).sum()
    covariance = (window * (a - mean_a) * (b - mean_b)).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1) * (2 * covariance + c2) / (variances + c2)
    assert metrics.ssim(a, b, **WHOLE) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", [(24, 36), (23, 35)])
def test_gmsd_is_what_the_authors_program_computes(rng, shape):
    """Their conv2(…, 'same') averages a pixel with its right and lower neighbours and takes each second one."""

    def gradient(image):
        even = np.pad(image, [(0, side % 2) for side in shape]).astype(float)
        small = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
        kernel = np.array([[1, 0, -1]] * 3) / 3
        return np.sqrt(convolve2d(small, kernel, "same") ** 2 + convolve2d(small, kernel.T, "same") ** 2)

    truth = rng.integers(0, 256, shape, dtype=np.uint8)
    image = noisy(truth, 20)
    a, b = gradient(truth), gradient(image)
    expected = np.std((2 * a * b + 170) / (a**2 + b**2 + 170), ddof=1)
    assert metrics.gmsd(truth, image, **WHOLE) == pytest.approx(expected, rel=1e-12)
    in_unit = metrics.gmsd(truth / 255, image / 255, data_range=1, channel="rgb", border=0)
    assert in_unit == pytest.approx(expected, rel=1e-12)


images = st.tuples(st.integers(11, 30), st.integers(11, 30), st.integers(0, 2**32 - 1)).map(
    lambda of: np.random.default_rng(of[2]).integers(0, 256, (*of[:2], 3), dtype=np.uint8)
)
channels = st.sampled_from(["rgb", "y"])


@settings(max_examples=30, deadline=None)
@given(truth=images, strength=st.floats(0.5, 120), channel=channels)
def test_ranges_and_symmetry(truth, strength, channel):
    image = noisy(truth, strength)
    for metric, low, high in [
        (metrics.mse, 0, 1),
        (metrics.psnr, 0, np.inf),
        (metrics.ssim, -1, 1),
        (metrics.gmsd, 0, 0.58),
    ]:
        there, back = (metric(*pair, **WHOLE | {"channel": channel}) for pair in ((truth, image), (image, truth)))
        assert low <= there <= high and there == pytest.approx(back, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(truth=images, channel=channels)
def test_identical_images_are_the_best_and_noise_is_worse(truth, channel):
    options = WHOLE | {"channel": channel}
    faint, strong = noisy(truth, 5), noisy(truth, 80)
    for metric, best, sign in [
        (metrics.mse, 0, -1),
        (metrics.psnr, np.inf, 1),
        (metrics.ssim, 1, 1),
        (metrics.gmsd, 0, -1),
    ]:
        scores = [metric(truth, image, **options) for image in (truth, faint, strong)]
        assert scores[0] == best
        assert sorted(scores, reverse=sign == 1) == scores and scores[1] != scores[2]


@pytest.mark.parametrize("side", [176, 177, 201])
def test_ms_ssim_falls_with_noise(side):
    truth = structured((side, side + 9, 3))
    scores = [metrics.ms_ssim(truth, noisy(truth, strength), **WHOLE) for strength in (0, 5, 80)]
    assert scores[0] == pytest.approx(1) and 1 > scores[1] > scores[2] >= 0


def test_ms_ssim_needs_176_pixels_inside_the_border(rng):
    truth = rng.integers(0, 256, (180, 190, 3), dtype=np.uint8)
    image = noisy(truth, 9)
    scores = [metrics.ms_ssim(truth, image, **WHOLE | {"border": border}) for border in (0, 2, 3)]
    assert np.isnan(scores).tolist() == [False, False, True]


@pytest.mark.parametrize("metric", ON_ARRAYS)
def test_border_and_channel_are_applied_first(rng, metric):
    truth = rng.integers(0, 256, (190, 200, 3), dtype=np.uint8)
    image = noisy(truth, 9)
    inside = slice(3, -3), slice(3, -3)
    spoilt = 255 - image
    spoilt[inside] = image[inside]
    y = [metrics.luminance(side[inside], data_range=255) for side in (truth, image)]
    assert metric(truth, spoilt, data_range=255, channel="y", border=3) == pytest.approx(
        metric(*y, data_range=255, channel="rgb", border=0), rel=1e-12
    )
    assert metric(truth, spoilt, data_range=255, channel="rgb", border=3) == metric(
        truth[inside], image[inside], data_range=255, channel="rgb", border=0
    )


@pytest.mark.parametrize("metric", ON_ARRAYS)
@pytest.mark.parametrize("channel", ["rgb", "y"])
def test_data_range_goes_with_the_values(rng, metric, channel):
    truth = rng.integers(0, 256, (176, 180, 3), dtype=np.uint8)
    image = noisy(truth, 9)
    bytes_, units = (
        metric(truth / scale, image / scale, data_range=255 / scale, channel=channel, border=0) for scale in (1, 255)
    )
    assert units == pytest.approx(bytes_, rel=1e-9)


def test_luminance_is_matlabs(rng):
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert metrics.luminance(colours, data_range=255)[0] == pytest.approx([16, 235, 81.481, 144.553, 40.966])
    assert metrics.luminance(colours / 255, data_range=1)[0] * 255 == pytest.approx([16, 235, 81.481, 144.553, 40.966])
    image = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    assert np.array_equal(np.floor(metrics.luminance(image, data_range=255) + 0.5), superresolution.brightness(image))


def test_psnr_on_y_by_hand():
    truth = np.zeros((4, 4, 3), np.uint8)
    image = truth + np.array([0, 255, 0], np.uint8)
    assert metrics.mse(truth, image, data_range=255, channel="y") == pytest.approx((128.553 / 255) ** 2)
    assert metrics.psnr(truth, image, data_range=255, channel="y") == pytest.approx(-20 * np.log10(128.553 / 255))
    image[1:3, 1:3] = 0
    assert metrics.psnr(truth, image, data_range=255, border=1) == np.inf


def test_identical_images_have_infinite_psnr(two_images):
    assert metrics.psnr(two_images[0], two_images[0], data_range=255) == float("inf")


@pytest.mark.parametrize(
    ("shapes", "changes", "message"),
    [
        ([(2, 2, 3), (2, 3, 3)], {}, r"\(2, 2, 3\) and \(2, 3, 3\)"),
        ([(12, 12, 3, 1)] * 2, {}, r"received \(12, 12, 3, 1\)"),
        ([(12, 12, 3)] * 2, {"channel": "cb"}, "unknown channel 'cb'; the known ones are rgb, y"),
        ([(12, 12)] * 2, {"channel": "y"}, r"expected an RGB image \(H, W, 3\), received \(12, 12\)"),
        ([(12, 13, 3)] * 2, {"border": 6}, "of 12×13 pixels, received 6"),
        ([(12, 13, 3)] * 2, {"border": -1}, "received -1"),
        ([(12, 12, 3)] * 2, {"data_range": 0}, "expected a data_range above 0, received 0"),
    ],
)
@pytest.mark.parametrize("metric", ON_ARRAYS)
def test_errors_say_what_was_received(metric, shapes, changes, message):
    with pytest.raises(ValueError, match=message):
        metric(*map(np.zeros, shapes), **WHOLE | changes)


@pytest.mark.parametrize(("metric", "side"), [(metrics.ssim, 10), (metrics.gmsd, 3)])
def test_images_smaller_than_the_window_are_refused(metric, side):
    image = np.zeros((side + 4, 40, 3), np.uint8)
    with pytest.raises(ValueError, match=f"at least {side + 1}×{side + 1} pixels .* received {side}×36"):
        metric(image, image, **WHOLE | {"border": 2})
