import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srcnn_lib import images, pairs, preprocess
from srcnn_lib.specimens import dataset, degradations, typefaces

# Settings under which a technique changes nothing.
IDLE = {
    "denoise": [{"strength": 0}],
    "bilateral": [{"sigma_color": 0}, {"sigma_space": 0}],
    "median": [{"radius": 0}],
    "sharpen": [{"amount": 0}, {"sigma": 0}],
    "weighted_addition": [
        {"amount": 0, "strength": 0, "weight_sharp": 0.3, "weight_smooth": 0.7},
        {"amount": 0, "strength": 0, "guard": True},
    ],
    "clahe": [{"clip_limit": 0}],
    "wiener": [{"sigma": 0}],
    "richardson_lucy": [{"sigma": 0}, {"sigma": 2, "iterations": 0}],
}


@pytest.fixture(scope="module")
def cards():
    faces = typefaces.typefaces()
    return [dataset.make_card(number, 1, faces) for number in (5001, 5007, 5020)]


def pictures(longest=40):
    """Random images, grey and RGB, from one pixel on."""

    def picture(height, width, colour, seed):
        shape = (height, width, 3) if colour else (height, width)
        return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)

    side = st.integers(1, longest)
    return st.builds(picture, side, side, st.booleans(), st.integers(0, 99))


def distance(first, second):
    """Root mean square difference in grey levels."""
    return float(np.sqrt(np.mean((first.astype(float) - second) ** 2)))


@pytest.mark.parametrize("name", preprocess.STEPS)
@settings(max_examples=20, deadline=None)
@given(image=pictures())
def test_steps_keep_shape_type_and_input(name, image):
    before = image.copy()
    result = preprocess.STEPS[name](image)
    assert result.shape == image.shape and result.dtype == np.uint8
    assert (image == before).all() and not np.shares_memory(result, image)
    assert (result == preprocess.STEPS[name](image)).all()


@pytest.mark.parametrize("name", preprocess.STEPS)
@pytest.mark.parametrize("shape", [(1, 1), (2, 3, 3), (1, 90, 3), (90, 1), (2, 120)])
def test_steps_take_the_thinnest_images(name, shape):
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    assert preprocess.STEPS[name](image).shape == shape
    blurred = {"wiener": preprocess.wiener, "richardson_lucy": preprocess.richardson_lucy}
    if name in blurred:
        assert blurred[name](image, sigma=2.0).shape == shape


@pytest.mark.parametrize(("name", "idle"), [(name, idle) for name, several in IDLE.items() for idle in several])
@settings(max_examples=10, deadline=None)
@given(image=pictures())
def test_idle_settings_change_nothing(name, idle, image):
    result = getattr(preprocess, name)(image, **idle)
    assert (result == image).all() and not np.shares_memory(result, image)


@pytest.mark.parametrize("name", preprocess.STEPS)
@settings(max_examples=5, deadline=None)
@given(level=st.integers(0, 255), colour=st.booleans())
def test_flat_images_stay_flat(name, level, colour):
    result = preprocess.STEPS[name](np.full((20, 30, 3) if colour else (20, 30), level, np.uint8))
    assert np.ptp(result, axis=(0, 1)).max() == 0
    if name not in ("clahe", "weighted_addition"):
        assert np.abs(result.astype(int) - level).max() <= 1


@pytest.mark.parametrize("name", preprocess.STEPS)
@pytest.mark.parametrize("image", [np.zeros((8, 8, 3), np.float32), np.zeros((8, 8, 4), np.uint8), np.zeros(8, bool)])
def test_other_images_are_refused(name, image):
    with pytest.raises(ValueError, match=f"expected a uint8 array .*received {image.dtype} of shape"):
        preprocess.STEPS[name](image)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("denoise", {"strength": -1}),
        ("bilateral", {"sigma_space": float("nan")}),
        ("median", {"radius": -2}),
        ("sharpen", {"amount": float("inf")}),
        ("weighted_addition", {"weight_sharp": -0.1}),
        ("weighted_addition", {"weight_sharp": 0, "weight_smooth": 0}),
        ("clahe", {"tiles": 0}),
        ("wiener", {"noise": -3}),
        ("richardson_lucy", {"iterations": -1}),
    ],
)
def test_impossible_settings_are_refused(name, wrong):
    key, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f"{key}.*expected.*received {value}"):
        getattr(preprocess, name)(np.zeros((8, 8), np.uint8), **wrong)


def test_denoising_removes_noise_and_sharpening_adds_contrast(rng):
    flat = np.clip(128 + rng.normal(0, 4, (64, 64, 3)), 0, 255).astype(np.uint8)
    assert preprocess.denoise(flat).std() < flat.std() / 2
    assert preprocess.bilateral(flat).std() < flat.std() / 2
    assert preprocess.median(flat, radius=2).std() < flat.std() / 2
    assert preprocess.sharpen(flat).std() > flat.std()


def test_the_median_removes_single_spots(rng):
    flat = np.full((64, 64, 3), 128, np.uint8)
    assert (preprocess.median(degradations.salt_pepper(flat, rng, share=0.02)) == 128).mean() > 0.995


def test_weighted_addition_overflows_where_its_weights_exceed_one():
    bright = np.full((32, 32, 3), 230, np.uint8)
    assert preprocess.saturated_share(preprocess.weighted_addition(bright)) == 1
    assert preprocess.saturated_share(preprocess.weighted_addition(bright, weight_sharp=0.5, weight_smooth=0.5)) == 0


@settings(max_examples=20, deadline=None)
@given(weight_sharp=st.floats(0.05, 3), weight_smooth=st.floats(0.05, 3), level=st.integers(0, 255))
def test_the_guard_keeps_brightness_whatever_the_weights(weight_sharp, weight_smooth, level):
    flat = np.full((9, 9), level, np.uint8)
    guarded = preprocess.weighted_addition(flat, weight_sharp=weight_sharp, weight_smooth=weight_smooth, guard=True)
    assert (guarded == level).all()


def test_the_guard_keeps_a_bright_card_from_saturating(cards):
    bright = degradations.contrast(cards[0].image, gain=0.8, offset=25.0)
    shares = [preprocess.saturated_share(preprocess.weighted_addition(bright, guard=guard)) for guard in (False, True)]
    assert shares[0] > 0.1 and shares[1] < 0.01


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0, 3.5, 4.5])
@pytest.mark.parametrize("angle", [0.0, 20.0, 45.0])
def test_the_width_of_a_blurred_step_is_exact(sigma, angle):
    down, across = np.indices((120, 160)) - 60.0
    side = across * np.cos(np.deg2rad(angle)) + down * np.sin(np.deg2rad(angle)) - 10
    step = np.rint(np.clip(127.5 + 200 * side, 60, 200)).astype(np.uint8)
    assert preprocess.blur_width(degradations.gaussian(step, sigma=sigma)) == pytest.approx(sigma, rel=0.08, abs=0.15)


@pytest.mark.parametrize("squashed", [False, True])
@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_the_width_of_a_known_blur_is_found_on_cards(cards, sigma, squashed):
    found = []
    for card in cards:
        image = pairs.squash(card.image, 256) if squashed else card.image
        blurred = degradations.gaussian(image, sigma=sigma)
        noisy = degradations.noise(blurred, np.random.default_rng(1), read=3.0, shot=0.0)
        found.append([preprocess.blur_width(shown) for shown in (blurred, noisy, blurred[..., 1])])
    assert np.mean(found, axis=0) == pytest.approx([sigma] * 3, abs=0.5)
    errors = np.array(found) - sigma
    assert errors.min() > -0.9 and errors.max() < 0.7


def test_a_wider_blur_has_a_greater_width(cards):
    widths = [preprocess.blur_width(degradations.gaussian(cards[1].image, sigma=sigma)) for sigma in (0, 1, 2, 3, 4)]
    assert widths == sorted(widths) and widths[0] < 0.7


@settings(max_examples=20, deadline=None)
@given(pictures(12))
def test_the_width_stays_within_its_range(image):
    assert 0 <= preprocess.blur_width(image) <= 5
    assert preprocess.blur_width(np.full_like(image, 90)) == 0


@pytest.mark.parametrize("method", [preprocess.wiener, preprocess.richardson_lucy])
@pytest.mark.parametrize("known", [True, False])
def test_deconvolution_undoes_part_of_a_blur(cards, method, known):
    card = pairs.squash(cards[1].image, 256)
    blurred = degradations.gaussian(card, sigma=2.0)
    assert distance(method(blurred, sigma=2.0 if known else None), card) < 0.97 * distance(blurred, card)


def test_more_noise_makes_wiener_deconvolution_more_careful(cards):
    blurred = degradations.gaussian(pairs.squash(cards[1].image, 256), sigma=2.0)
    changes = [distance(preprocess.wiener(blurred, noise=noise), blurred) for noise in (2.0, 8.0, 32.0)]
    assert changes == sorted(changes, reverse=True)


@pytest.mark.parametrize("colour", [False, True])
def test_contrast_of_text_is_that_of_ink_and_ground(colour):
    image = np.full((40, 60), 200, np.uint8)
    image[10:14, 5:25] = 50
    image[30:34, 5:25] = 170
    image = np.dstack([image] * 3) if colour else image
    boxes = [(2, 6, 30, 18), (2, 26, 30, 38), (40, 0, 60, 40), (1.5, 5.2, 29.9, 17.3), (-5, 6, 30, 18)]
    assert preprocess.contrast_of_text(image, boxes).tolist() == [150.0, 30.0, 0.0, 150.0, 150.0]
    assert preprocess.contrast_of_text(image, []).shape == (0,)


def test_haze_lowers_the_contrast_of_text_by_its_share(cards):
    boxes = [(field.x0, field.y0, field.x1, field.y1) for field in cards[0].fields]
    clear = preprocess.contrast_of_text(cards[0].image, boxes)
    hazy = preprocess.contrast_of_text(degradations.haze(cards[0].image, veil=0.5, level=200.0), boxes)
    assert hazy == pytest.approx(clear / 2, abs=2)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (70, 0, 80, 10), (4, 9, 8, 2)])
def test_boxes_without_pixels_are_refused(box):
    with pytest.raises(ValueError, match=r"an image of 60×40, received"):
        preprocess.contrast_of_text(np.zeros((40, 60), np.uint8), [box])


def test_unknown_steps_list_the_known_ones():
    with pytest.raises(ValueError, match=r"'polish'.*denoise"):
        preprocess.apply(np.zeros((8, 8, 3), np.uint8), ["polish"])


def test_prepared_images_are_squashed_and_processed(make_pairs, tmp_path):
    folder = make_pairs(["a", "b"])
    table = pairs.index(folder, max_megapixels=1).pairs
    preprocess.prepare(folder, table, tmp_path / "out", size=32, input_steps=[], label_steps=["denoise"])
    low, high = (images.read(tmp_path / "out" / side / "a.png") for side in ("low", "high"))
    raw = images.read(folder / pairs.HIGH / "a.png")
    assert (low == pairs.squash(images.read(folder / pairs.LOW / "a.png"), 32)).all()
    assert (high == preprocess.denoise(pairs.squash(raw, 32))).all()


def test_denoising_weighs_red_as_red(rng):
    """Noise in red alone shows less in brightness than in green: a swapped order of channels would mix them up."""
    flat = np.full((40, 40, 3), 128, np.uint8)
    left = []
    for channel in range(3):
        noisy = flat.copy()
        noisy[..., channel] = np.clip(rng.normal(128, 12, (40, 40)), 0, 255)
        expected = preprocess.cv2.fastNlMeansDenoisingColored(noisy[..., ::-1].copy(), None, 5, 5, 7, 21)[..., ::-1]
        assert np.array_equal(preprocess.denoise(noisy), expected)
        left.append(preprocess.denoise(noisy)[..., channel].std())
    assert left[0] != left[2]
