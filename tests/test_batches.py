import itertools

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
    return batches.Files(low, high)


def first(data, count):
    return list(data.take(count).as_numpy_iterator())


def test_whole_images_come_in_order_scaled_to_one(files):
    low, high = (
        np.concatenate(side) for side in zip(*batches.stream(files, batch_size=3).as_numpy_iterator(), strict=True)
    )
    assert low.shape == (7, 24, 24, 3) and low.dtype == np.float32
    assert np.allclose(low[4] * 255, files[4][0])
    assert np.allclose(high - low, 50 / 255, atol=1e-6)


def test_the_last_batch_of_an_epoch_may_be_smaller(files):
    data = batches.Shuffled(files, batch_size=3, seed=0)
    assert data.steps == 3
    assert [len(low) for low, _ in first(data.from_epoch(0), 6)] == [3, 3, 1] * 2
    assert batches.Shuffled([files[0]] * 701, 10, 0).steps == 71


def test_an_epoch_has_every_pair_once_in_an_order_of_its_own(files):
    data = batches.Shuffled(files, batch_size=7, seed=1)
    (one, _), (two, _) = first(data.from_epoch(0), 2)
    in_order = np.sort([files[index][0].mean() for index in range(7)])
    for epoch in (one, two):
        assert np.allclose(np.sort(epoch.mean(axis=(1, 2, 3)) * 255), in_order, atol=1e-3)
    assert not np.array_equal(one, two)


def test_epochs_can_have_any_number_of_steps(files):
    few, many = (batches.Shuffled(files, 3, 1, 8, epoch_steps=steps) for steps in (1, 10))
    assert (few.steps, many.steps) == (1, 10)
    assert {len(low) for low, _ in first(many.from_epoch(0), 20)} == {3}
    # epoch 5 of `few` is its sixth batch
    assert np.array_equal(first(few.from_epoch(5), 1)[0][0], first(few.from_epoch(0), 6)[5][0])


def test_crops_are_aligned_vary_and_depend_on_seed_and_epoch_only(files):
    def low_side(seed, epoch, pairs=files):
        low, high = first(batches.Shuffled(pairs, 7, seed, crop_size=8).from_epoch(epoch), 1)[0]
        assert low.shape == (7, 8, 8, 3)
        assert np.allclose(high - low, 50 / 255, atol=1e-6)
        return low

    once = low_side(1, 3)
    assert np.array_equal(once, low_side(1, 3))
    assert np.array_equal(once, low_side(1, 3, batches.Packed(files)))
    assert not np.array_equal(once, low_side(1, 4)) and not np.array_equal(once, low_side(2, 3))


def test_crops_come_from_everywhere_in_all_eight_positions():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4, 1)
    data = batches.Shuffled([(image, image)], batch_size=1500, seed=0, crop_size=2, epoch_steps=1)
    ((low, high),) = first(data.from_epoch(0), 1)
    assert np.array_equal(low, high)
    crops = {tuple(np.round(crop * 255).astype(int).ravel()) for crop in low}
    assert len(crops) == 9 * 8


def test_colours_come_in_every_order_on_both_sides_alike():
    image = np.broadcast_to(np.array([10, 20, 30], np.uint8), (8, 8, 3))
    data = batches.Shuffled([(image, image + 100)] * 60, 60, 1, crop_size=4, swap_colours=True)
    low, high = first(data.from_epoch(0), 1)[0]
    assert np.allclose(high - low, 100 / 255, atol=1e-6)
    assert {tuple(crop[0, 0]) for crop in np.rint(low * 255).astype(int)} == set(itertools.permutations((10, 20, 30)))


def test_labels_can_lose_a_border(files):
    (low, high) = first(batches.Shuffled(files, 2, 0, crop_size=16, label_border=6).from_epoch(0), 1)[0]
    assert low.shape == (2, 16, 16, 3) and high.shape == (2, 4, 4, 3)
    assert np.allclose(high - low[:, 6:-6, 6:-6], 50 / 255, atol=1e-6)


def test_packed_pairs_and_centres_are_the_same_pixels(tmp_path, rng):
    pairs = [tuple(rng.integers(0, 256, (20 + number, 30, 3), dtype=np.uint8) for _ in range(2)) for number in range(4)]
    packed = batches.Packed(pairs, tmp_path)
    assert len(packed) == 4
    for index, sides in enumerate(pairs):
        for mine, theirs, middle in zip(packed[index], sides, batches.Centres(pairs, 10)[index], strict=True):
            assert np.array_equal(mine, theirs)
            assert np.array_equal(middle, theirs[(10 + index) // 2 :][:10, 10:20])


def test_float_images_are_taken_as_they_are():
    image = np.full((8, 8, 1), 0.25, np.float32)
    ((low, high),) = first(batches.stream([(image, image)], batch_size=1), 1)
    assert low.shape == (1, 8, 8, 1) and (low == 0.25).all() and (high == 0.25).all()


def test_what_cannot_be_streamed_is_refused(files):
    with pytest.raises(ValueError, match="received 0 and 0"):
        batches.Files([], [])
    with pytest.raises(ValueError, match="at least one pair"):
        batches.stream([], batch_size=2)
    with pytest.raises(ValueError, match="at least one pair"):
        batches.Shuffled([], 2, 0)
    with pytest.raises(ValueError, match="one shape"):
        batches.Packed([(np.zeros((4, 4, 3), np.uint8), np.zeros((5, 4, 3), np.uint8))])
    with pytest.raises(Exception, match="at least 32×32 pixels"):
        first(batches.Shuffled(files, 2, 0, crop_size=32).from_epoch(0), 1)


def test_files_of_any_size_and_format_are_streamed_in_crops(tmp_path, rng):
    paths = []
    for number, suffix in enumerate(("jpg", "png", "tif", "webp", "bmp")):
        paths.append(tmp_path / f"{number}.{suffix}")
        images.write(paths[-1], rng.integers(0, 256, (20 + number, 30, 3), dtype=np.uint8))
    ((low, high),) = first(batches.Shuffled(batches.Files(paths, paths), 5, 0, crop_size=16).from_epoch(0), 1)
    assert low.shape == (5, 16, 16, 3) and np.array_equal(low, high)
