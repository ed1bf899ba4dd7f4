import numpy as np
import pytest

from srcnn_lib import batches, images


@pytest.fixture
def files(tmp_path, rng):
    low, high = [], []
    for number in range(7):
        image = rng.integers(0, 200, (24, 24, 3), dtype=np.uint8)
        for side, shown, paths in (("low", image, low), ("high", image + 50, high)):
            paths.append(tmp_path / side / f"{number}.png")
            images.write(paths[-1], shown)
    return low, high


def test_whole_images_come_in_order_scaled_to_one(files):
    low, high = (
        np.concatenate(side) for side in zip(*batches.stream(*files, batch_size=3).as_numpy_iterator(), strict=True)
    )
    assert low.shape == (7, 24, 24, 3) and low.dtype == np.float32
    assert np.allclose(low[4] * 255, images.read(files[0][4]))
    assert np.allclose(high - low, 50 / 255, atol=1e-6)


def test_the_last_batch_may_be_smaller(files):
    assert [len(low) for low, _ in batches.stream(*files, batch_size=3, seed=0)] == [3, 3, 1]


def test_crops_are_aligned_vary_and_repeat_with_the_seed(files):
    def epochs(seed):
        data = batches.stream(*files, batch_size=7, crop_size=8, seed=seed)
        return [next(iter(data.as_numpy_iterator())) for _ in range(2)]

    (low, high), (later, _) = epochs(1)
    assert low.shape == (7, 8, 8, 3)
    assert np.allclose(high - low, 50 / 255, atol=1e-6)
    assert not np.allclose(low, later)
    assert np.array_equal(low, epochs(1)[0][0]) and np.array_equal(later, epochs(1)[1][0])
    assert not np.allclose(low, epochs(2)[0][0])


def test_no_files_are_refused():
    with pytest.raises(ValueError, match="received 0 and 0"):
        batches.stream([], [], batch_size=2)


def test_a_cache_gives_the_same_images_and_later_passes_vary(files, tmp_path):
    plain = batches.stream(*files, batch_size=7)
    cached = batches.stream(*files, batch_size=7, cache=tmp_path / "cache")
    for _ in range(2):
        assert np.array_equal(next(iter(plain))[0], next(iter(cached))[0])
    shuffled = batches.stream(*files, batch_size=7, cache=tmp_path / "other", seed=1)
    first, second = (next(iter(shuffled))[0].numpy() for _ in range(2))
    assert not np.array_equal(first, second) and np.allclose(np.sort(first, axis=0), np.sort(second, axis=0))


def test_files_of_any_size_and_format_are_streamed_in_crops(tmp_path, rng):
    paths = []
    for number, suffix in enumerate(("jpg", "png", "tif", "webp", "bmp")):
        paths.append(tmp_path / f"{number}.{suffix}")
        images.write(paths[-1], rng.integers(0, 256, (20 + number, 30, 3), dtype=np.uint8))
    low, high = next(iter(batches.stream(paths, paths, batch_size=5, crop_size=16, seed=0)))
    assert low.shape == (5, 16, 16, 3) and np.array_equal(low, high)
