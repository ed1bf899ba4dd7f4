"""The drawn data set: zones, degradations, pools, files."""

import csv
import json
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srcnn_lib import images, specimens
from srcnn_lib.errors import DataError, ImageError
from srcnn_lib.specimens import cards, dataset, degradations, faults, mrz, typefaces
from srcnn_lib.specimens.degradations import KINDS, Step
from srcnn_lib.specimens.layouts import LAYOUTS
from srcnn_lib.specimens.words import FIELDS, WORDS

POOLS = specimens.POOLS

# The specimens printed in ICAO Doc 9303: part 5, part 6 and part 4, appendices to section 4.
TD1 = ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"]
TD2 = ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"]
TD3 = ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]
ANNA = {
    "state": "UTO",
    "surname": "Eriksson",
    "given": "Anna Maria",
    "birth": date(1974, 8, 12),
    "expires": date(2012, 4, 15),
    "sex": "F",
}


@pytest.mark.parametrize(
    ("kind", "code", "number", "optional", "printed"),
    [
        ("TD1", "I", "D23145890", "", TD1),
        ("TD2", "I", "D23145890", "", TD2),
        ("TD3", "P", "L898902C3", "ZE184226B", TD3),
    ],
)
def test_the_published_zones_come_out(kind, code, number, optional, printed):
    assert mrz.lines(kind, code=code, number=number, optional=optional, **ANNA) == printed
    assert mrz.valid(printed)


@pytest.mark.parametrize("zone", [TD1, TD2, TD3])
def test_a_changed_letter_makes_a_zone_invalid(zone):
    for line, column in ((1, 3), (1, len(zone[1]) - 1), (0, 5) if zone is TD1 else (1, 0)):
        other = "9" if zone[line][column] != "9" else "8"
        changed = [*zone]
        changed[line] = zone[line][:column] + other + zone[line][column + 1 :]
        assert not mrz.valid(changed)
    assert not mrz.valid(zone[:1])
    assert not mrz.valid([zone[0].lower(), *zone[1:]])


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(list(mrz.LENGTHS)), st.dates(), st.dates())
def test_any_name_makes_a_valid_zone(surname, given_names, kind, birth, expires):
    zone = mrz.lines(
        kind,
        code="I",
        state="UTO",
        surname=surname,
        given=given_names,
        number="A1",
        birth=birth,
        expires=expires,
        sex="X",
        optional="12-AB",
    )
    assert mrz.valid(zone)


def test_zones_reject_what_they_cannot_hold():
    with pytest.raises(ValueError, match="at most 9"):
        mrz.lines("TD1", code="I", number="1234567890", **ANNA)
    with pytest.raises(ValueError, match="TD4"):
        mrz.lines("TD4", code="I", number="1", **ANNA)
    with pytest.raises(ValueError, match="received 'a'"):
        mrz.check_digit("a")


NOTHING = [
    Step("tint", {"red": 1, "green": 1, "blue": 1}),
    Step("uneven_light", {"drop": 0, "angle": 30}),
    Step("glare", {"x": 0.5, "y": 0.5, "radius": 0.1, "peak": 0}),
    Step("gaussian", {"sigma": 0}),
    Step("disc", {"radius": 0}),
    Step("motion", {"length": 0, "angle": 10}),
    Step("downup", {"factor": 1}),
    Step("haze", {"veil": 0, "level": 200}),
    Step("contrast", {"gain": 1, "offset": 0}),
    Step("marks", {"count": 0, "radius": 9, "opacity": 0.5, "seed": 1}),
    Step("periodic", {"amplitude": 0, "period": 5, "angle": 0, "phase": 0}),
    Step("noise", {"read": 0, "shot": 0, "seed": 1}),
    Step("salt_pepper", {"share": 0, "seed": 1}),
]
IMAGES = st.builds(
    lambda height, width, seed: np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8),
    st.integers(3, 40),
    st.integers(3, 40),
    st.integers(0, 99),
)


@settings(max_examples=15, deadline=None)
@given(IMAGES)
@pytest.mark.parametrize("step", NOTHING, ids=lambda step: step.kind)
def test_parameters_of_no_effect_change_nothing(step, image):
    np.testing.assert_array_equal(degradations.apply(image, [step]), image)


def test_every_kind_but_compression_can_do_nothing():
    assert {step.kind for step in NOTHING} == KINDS.keys() - {"jpeg"}


@settings(max_examples=60, deadline=None)
@given(IMAGES, st.integers(0, 2**32), st.floats(0.1, 2), st.floats(6, 40))
def test_recipes_keep_size_type_and_input_and_repeat(image, seed, strength, letter):
    before = image.copy()
    steps = degradations.recipe(np.random.default_rng(seed), strength, letter=letter)
    spoilt = degradations.apply(image, steps)
    assert spoilt.shape == image.shape and spoilt.dtype == np.uint8
    np.testing.assert_array_equal(image, before)
    read_back = [Step(step.kind, json.loads(json.dumps(step.parameters))) for step in steps]
    np.testing.assert_array_equal(degradations.apply(image, read_back), spoilt)
    kinds = [step.kind for step in steps]
    assert kinds[-1] == "jpeg" and 2 <= len(kinds) - 1 <= 5
    assert set(kinds) & {"gaussian", "disc", "motion", "downup"}


@pytest.mark.parametrize(
    "step",
    [
        Step("gaussian", {"sigma": 2.5}),
        Step("disc", {"radius": 3}),
        Step("motion", {"length": 7, "angle": 40}),
        Step("downup", {"factor": 2.5}),
        Step("haze", {"veil": 0.5, "level": 128}),
        Step("contrast", {"gain": 0.5, "offset": 0}),
    ],
    ids=lambda step: step.kind,
)
def test_blur_and_veil_lower_the_contrast_and_keep_the_mean(step):
    image = np.random.default_rng(1).integers(0, 256, (90, 110, 3), np.uint8)
    spoilt = degradations.apply(image, [step])
    assert spoilt.std() < 0.7 * image.std()
    assert abs(spoilt.mean() - image.mean()) < 1.5


def test_noise_and_spots_have_the_strength_they_are_given():
    grey, rng = np.full((300, 300, 3), 100, np.uint8), np.random.default_rng
    grain = degradations.noise(grey, rng(3), read=6, shot=0.28).astype(float) - 100
    assert grain.std() == pytest.approx(8, rel=0.02)
    spots = degradations.salt_pepper(grey, rng(3), share=0.02)
    assert (spots != 100).any(axis=2).mean() == pytest.approx(0.02, rel=0.05)


def test_a_periodic_pattern_stands_at_its_frequency():
    grey = np.full((120, 160, 3), 128, np.uint8)
    lined = degradations.periodic(grey, amplitude=20, period=8, angle=0, phase=0)
    spectrum = np.abs(np.fft.rfft(lined[60, :, 0] - 128.0))
    assert spectrum.argmax() == 160 // 8
    assert spectrum.max() * 2 / 160 == pytest.approx(20, abs=0.5)


def test_pools_share_nothing():
    vocabularies = [WORDS[pool].vocabulary() for pool in POOLS]
    names = [{layout.name for layout in LAYOUTS[pool]} for pool in POOLS]
    faces = typefaces.typefaces()
    families = [{typefaces._family(face.path) for face in faces[pool]} for pool in POOLS]
    for kinds in (vocabularies, names, families):
        assert sum(map(len, kinds)) == len(set.union(*kinds))


def test_every_language_labels_every_field():
    assert all(len(language) == len(FIELDS) for words in WORDS.values() for language in words.labels)


def test_the_pool_is_a_function_of_the_number_alone():
    pools = [specimens.pool_of(number) for number in range(5000, 7000)]
    assert [pools.count(pool) for pool in POOLS] == [1400, 300, 300]


def test_more_fonts_are_dealt_out_by_family(tmp_path):
    for place, path in enumerate(face.path for face in typefaces.typefaces()["train"][:2]):
        (tmp_path / f"{place}.ttf").symlink_to(path)
    assert typefaces.typefaces((tmp_path,)) == typefaces.typefaces()  # the family is there already
    bundled = Path(typefaces.typefaces()["test"][0].path).parent
    shutil.copy(bundled / "cmti10.ttf", tmp_path / "new.ttf")
    more = typefaces.typefaces((tmp_path,))
    assert more["train"][0].name == "new" and not more["train"][0].accents
    with pytest.raises(ValueError, match="Latin letters"):
        typefaces.typefaces((tmp_path / "none",))


@pytest.mark.parametrize("pool", POOLS)
def test_cards_hold_their_fields(pool):
    faces = typefaces.typefaces()[pool]
    for seed in range(8):
        card = cards.draw_card(np.random.default_rng(seed), pool, faces)
        height, width = card.image.shape[:2]
        assert card.image.dtype == np.uint8 and 500 <= max(height, width) <= 1110
        kinds = {field.kind for field in card.fields}
        assert {"heading", "label", "value"} <= kinds
        for field in card.fields:
            assert 0 <= field.x0 < field.x1 <= width and 0 <= field.y0 < field.y1 <= height
            assert card.image[field.y0 : field.y1, field.x0 : field.x1].std() > 3
        zone = [field.text for field in card.fields if field.kind == "mrz"]
        assert not zone or mrz.valid(zone)


@pytest.mark.parametrize("pool", POOLS)
def test_values_do_not_overlap(pool):
    faces = typefaces.typefaces()[pool]
    for seed in range(20, 28):
        fields = cards.draw_card(np.random.default_rng(seed), pool, faces).fields
        for place, one in enumerate(fields):
            for other in fields[place + 1 :]:
                if "value" in (one.kind, other.kind):
                    across = min(one.x1, other.x1) - max(one.x0, other.x0)
                    down = min(one.y1, other.y1) - max(one.y0, other.y0)
                    assert across <= 0 or down <= 2, (one, other)


SMALL = {"identities": 6, "seed": 11, "fault_share": 1.0}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("specimens") / "raw"
    specimens.draw(folder, processes=1, **SMALL)
    return folder


def _contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _table(folder, name):
    with open(folder / "truth" / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_two_processes_write_the_same_bytes(drawn, tmp_path):
    specimens.draw(tmp_path / "two", processes=2, **SMALL)
    assert _contents(tmp_path / "two") == _contents(drawn)


def test_another_seed_writes_other_images(drawn, tmp_path):
    specimens.draw(tmp_path / "other", identities=1, seed=12, fault_share=0, processes=1)
    name = "truth/clean/5000.png"
    assert (tmp_path / "other" / name).read_bytes() != (drawn / name).read_bytes()


def test_the_manifest_vouches_for_every_file(drawn):
    assert specimens.check(drawn) == []
    manifest = json.loads((drawn / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == _contents(drawn).keys() - {"manifest.json"}
    assert list(manifest["files"]) == sorted(manifest["files"])
    assert (manifest["version"], manifest["seed"]) == (specimens.VERSION, 11)


def test_both_sides_and_the_clean_card_agree_in_size(drawn):
    sizes = set()
    for number in range(5000, 5006):
        clean = images.read(drawn / "truth" / "clean" / f"{number}.png")
        sizes.add(clean.shape)
        for variant in "hv":
            low, high = (
                images.read(drawn / side / specimens.file_name(variant, number)) for side in (dataset.LOW, dataset.HIGH)
            )
            assert low.shape == high.shape == clean.shape
            assert np.abs(high.astype(int) - clean).mean() < 8
    assert len(sizes) == 6


def test_the_recipe_on_record_repeats_the_file(drawn):
    rows = [row for row in _table(drawn, "degradations") if row["file"] == "f.v.fornt.5002.jpg"]
    clean = images.read(drawn / "truth" / "clean" / "5002.png")
    for side in (dataset.LOW, dataset.HIGH):
        steps = [Step(row["kind"], json.loads(row["parameters"])) for row in rows if row["side"] == side]
        written = images.read(drawn / side / "f.v.fornt.5002.jpg")
        np.testing.assert_array_equal(degradations.apply(clean, steps), written)


def test_every_fault_is_listed_and_real(drawn):
    rows = _table(drawn, "faults")
    assert {(int(row["number"]), row["variant"]) for row in rows} == {
        (number, variant) for number in range(5006, 5012) for variant in "hv"
    }
    for row in rows:
        name = specimens.file_name(row["variant"], int(row["number"]))
        low, high = drawn / dataset.LOW / name, drawn / dataset.HIGH / name
        assert low.exists() != (row["fault"] == "missing_blurred")
        assert high.exists() != (row["fault"] == "missing_sharpened")
        assert all((drawn / file).exists() for file in row["files"].split())


def test_all_kinds_of_faults_take_turns():
    dealt = faults.plan(5000, 2030, 61, 0, specimens.pool_of)
    assert list(dealt) == list(range(7030, 7091))
    assert {fault.kind for fault in dealt.values()} == faults.EXPLANATIONS.keys()
    for number, fault in dealt.items():
        if fault.kind == "swapped_partner":
            assert dealt[fault.other].other == number
        if fault.kind == "near_duplicate":
            assert specimens.pool_of(fault.other) == specimens.pool_of(number)


@pytest.mark.parametrize("kind", faults.BROKEN)
def test_spoilt_files_cannot_be_read(tmp_path, kind):
    path = tmp_path / "card.jpg"
    images.write(path, np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8))
    faults.spoil(path, kind, np.random.default_rng(0))
    with pytest.raises(ImageError):
        images.read(path)


def test_what_is_lacking_is_drawn_again(drawn, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(drawn, folder)
    lost = [folder / "blurred_images" / "f.h.fornt.5003.jpg", folder / "truth" / "clean" / "5007.png"]
    kept = folder / "sharpened_images" / "f.h.fornt.5001.jpg"
    age = kept.stat().st_mtime_ns
    for path in lost:
        path.unlink()
    assert len(specimens.check(folder)) == 2
    specimens.draw(folder, processes=1, **SMALL)
    assert _contents(folder) == _contents(drawn)
    assert kept.stat().st_mtime_ns == age


def test_a_broken_off_generation_goes_on(drawn, tmp_path, monkeypatch):
    make, done = dataset._make, []

    def broken_off(plan, number):
        if len(done) == 4:
            raise KeyboardInterrupt
        make(plan, number)
        done.append(number)

    monkeypatch.setattr(dataset, "_make", broken_off)
    with pytest.raises(KeyboardInterrupt):
        specimens.draw(tmp_path / "raw", processes=1, **SMALL)
    assert not (tmp_path / "raw" / "manifest.json").exists()
    monkeypatch.setattr(dataset, "_make", lambda plan, number: done.append(number) or make(plan, number))
    (tmp_path / "raw" / "blurred_images" / "f.h.fornt.5001.jpg").unlink()
    specimens.draw(tmp_path / "raw", processes=1, **SMALL)
    assert done == [5000, 5001, 5002, 5003, 5001, *range(5004, 5012)]
    assert _contents(tmp_path / "raw") == _contents(drawn)


def test_other_data_is_never_overwritten(drawn, tmp_path):
    with pytest.raises(DataError, match=r"seed 11 instead of 12"):
        specimens.draw(drawn, **SMALL | {"seed": 12})
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(DataError, match="another origin"):
        specimens.draw(tmp_path, **SMALL)
    with pytest.raises(DataError, match=r"manifest\.json"):
        specimens.check(tmp_path)


@pytest.mark.parametrize("wrong", [{"identities": 0}, {"seed": -1}, {"fault_share": 1.5}, {"first": "5000"}])
def test_settings_out_of_range_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        specimens.draw(tmp_path, **SMALL | wrong)
