import numpy as np
import pytest
import tensorflow as tf
from skimage import metrics as skimage_metrics

from srcnn_lib import metrics


@pytest.fixture
def two_images(rng):
    truth = rng.integers(0, 256, (31, 45, 3), dtype=np.uint8)
    return truth, np.clip(truth + rng.normal(0, 12, truth.shape), 0, 255).astype(np.uint8)


def test_mse_and_psnr_agree_with_scikit_image_and_tensorflow(two_images):
    truth, image = two_images
    mse, psnr = (function(truth, image, data_range=255) for function in (metrics.mse, metrics.psnr))
    assert mse * 255**2 == pytest.approx(skimage_metrics.mean_squared_error(truth, image), rel=1e-6)
    assert psnr == pytest.approx(skimage_metrics.peak_signal_noise_ratio(truth, image), rel=1e-6)
    assert psnr == pytest.approx(float(tf.image.psnr(truth, image, max_val=255)), rel=1e-6)


def test_tensor_versions_agree_with_those_on_arrays(two_images):
    truth, image = two_images
    tensors = [side[None].astype(np.float32) / 255 for side in two_images]
    assert float(metrics.pixel_mse(*tensors)[0]) == pytest.approx(metrics.mse(truth, image, data_range=255), rel=1e-5)
    assert float(metrics.batch_psnr(*tensors)[0]) == pytest.approx(metrics.psnr(truth, image, data_range=255), rel=1e-5)
    assert float(metrics.log10(np.float32(1000))) == pytest.approx(3)


def test_identical_images_have_infinite_psnr(two_images):
    assert metrics.psnr(two_images[0], two_images[0], data_range=255) == float("inf")


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"\(2, 2, 3\) and \(2, 3, 3\)"):
        metrics.mse(np.zeros((2, 2, 3)), np.zeros((2, 3, 3)), data_range=1)
