"""The settings of a run: a flat YAML profile, checked before any work begins."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from srcnn_lib.errors import SettingsError
from srcnn_lib.files import ROOT
from srcnn_lib.models import LIGHT, NAMES

PROFILES = ROOT / "notebooks" / "profiles"
MODELS = (*NAMES, *LIGHT)

Correlation = Annotated[float, Field(ge=-1, le=1)]
Flag = Literal["other card", "too bad", "too hazy", "too good", "misaligned"]
Count = Annotated[int, Field(ge=1)]
Step = Literal[
    "denoise", "bilateral", "median", "sharpen", "weighted_addition", "weighted_addition_guarded", "clahe", "wiener",
    "richardson_lucy", "notch",
]  # fmt: skip


class Settings(BaseModel):
    """Every setting of a run. A notebook receives those that its `parameters` cell names."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    seed: Annotated[int, Field(ge=0)]
    """Where all randomness comes from."""
    identities: Count
    """Identity numbers to draw for the default data set; each gives two pairs, h and v."""
    fault_share: Annotated[float, Field(ge=0, le=1)]
    """Faulty pairs to draw on top of the sound ones, as a share of them (default data set)."""
    font_folders: list[str]
    """Folders of further typefaces for the drawn cards."""
    max_megapixels: Annotated[float, Field(gt=0)]
    """Larger images are set aside unread."""
    min_layout: Correlation
    min_detail: Correlation
    max_detail: Correlation
    min_contrast_kept: Annotated[float, Field(ge=0)]
    max_shift: Annotated[float, Field(ge=0)]
    """Limits beyond which `srcnn_lib.quality` flags a pair (the shift in pixels)."""
    duplicate_bits: Annotated[int, Field(ge=0, le=255)]
    """Perceptual hashes that differ in at most so many of 256 bits belong to near-duplicates."""
    set_aside_flags: list[Flag]
    """Flags whose pairs are set aside before the split."""
    spectrum_pairs: Count
    """Pairs over which section 2.2 averages spectra."""
    stream_pairs: Count
    """Pairs with which section 2.3 measures the speed of streaming."""
    train_pairs: Count
    validation_pairs: Count
    test_pairs: Count
    image_size: Annotated[int, Field(ge=32, le=1024)]
    """Side, in pixels, of the square that every image is squashed to."""
    input_steps: list[Step]
    label_steps: list[Step]
    """Pre-processing of the squashed images, in order; see `srcnn_lib.preprocess`."""
    trial_pairs: Count
    """Training pairs, and validation pairs, with which section 2.4 tries its techniques."""
    trial_updates: Count
    trial_crop_size: Annotated[int, Field(ge=8)]
    trial_seeds: Count
    trial_trainings: Literal["all", "claims"]
    """Its short trainings: on every technique, or only on those that the original says something about."""
    trial_reading_pairs: Count
    """Validation cards that OCR reads after each technique."""
    experiment_updates: Annotated[int, Field(ge=8)]
    """Steps that each network of section 2.5's experiments gets."""
    experiment_seeds: Count
    experiment_crop_size: Annotated[int, Field(ge=8)]
    zoo_cards: Count
    """Validation cards on which section 2.5 tries the kept weights of the light networks anew."""
    complexity_filters: Annotated[list[Annotated[int, Field(ge=3)]], Field(min_length=2)]
    """Filters of the first layer for the graph of error against complexity."""
    complexity_updates: Count
    complexity_seeds: Annotated[int, Field(ge=2)]
    complexity_pairs: Count
    """Training pairs of each of its networks: few, so that chance shows."""
    model: str
    """One of `MODELS`: the registry of `srcnn_lib.models`, light networks of the literature included."""
    start: Literal["random", "identity"]
    """First weights of the model, as Keras draws them or so that it gives back its input."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    schedule: Literal["constant", "cosine"]
    clip_norm: Annotated[float, Field(gt=0)] | None
    keep: Literal["last", "best"]
    precision: Literal["float32", "mixed_bfloat16", "auto"]
    """See `srcnn_lib.training.Recipe`."""
    strategy: Literal["one", "mirrored"]
    """See `srcnn_lib.training.strategy`."""
    batch_size: Count
    epochs: Count
    validate_every: Count
    """Epochs from one validation to the next; the last one is always validated."""
    crop_size: Annotated[int, Field(ge=0)]
    """Side, in pixels, of the random crop that training takes of each image; 0 takes whole images."""
    native_models: Annotated[list[str], Field(min_length=1)]
    """Those of `MODELS` that are trained on crops of the unsquashed images."""
    native_epochs: Count
    native_epoch_steps: Count
    native_batch_size: Count
    native_crop_size: Annotated[int, Field(ge=16)]
    native_learning_rate: Annotated[float, Field(gt=0, lt=1)]
    reader_characters: Annotated[int, Field(ge=128)]
    """Characters on which the project's own recogniser is trained, for the perceptual measure."""
    vgg19_weights: str | None
    """File of VGG19's weights for another perceptual measure; without it, Keras' cache is looked into."""
    reading_pairs: Count
    """Test cards that OCR reads after every method: those of the test pool where the data set has pools."""
    reading_tuning_pairs: Count
    """Validation cards on which the settings of classical filters are chosen."""
    stress_cards: Count
    """Test cards from which each case beyond the training distribution is made."""
    tuning_learning_rates: Annotated[list[Annotated[float, Field(ge=1e-4, le=1e-2)]], Field(min_length=2)]
    tuning_batch_sizes: Annotated[list[Annotated[int, Field(ge=4, le=20, multiple_of=2)]], Field(min_length=1)]
    """Section 2.10's grid: these, each with half of the epochs and with all."""
    tuning_trials: Count
    """Trials of its other search in all, those of an interrupted one included."""
    tuning_epochs: Count
    tuning_epoch_steps: Count
    """The longest that a trial takes."""
    tuning_crop_size: Annotated[int, Field(ge=8, multiple_of=2)]
    """Side of a trial's crops; the search tries half of it, too."""
    tuning_storage: str | None
    """URL of a database (as SQLAlchemy takes it) for several machines to keep their trials in; null for a file of
    the run."""
    tuning_seeds: Count
    """With how many seeds the searches' results are checked, and each number of pairs is tried."""
    tuning_pairs: Annotated[list[Count], Field(min_length=2)]
    """Numbers of training pairs whose scores are compared, as far as there are so many."""
    tuning_pairs_updates: Count
    tuning_ladder_megapixels: Annotated[float, Field(gt=0)]
    """Pixels of inputs that every rung of the ladder is trained on."""
    tuning_cards: Count
    tuning_reading_cards: Count
    """Validation cards on which the ladder's rungs are scored, and on the first of which they are read."""


def load(path: Path) -> Settings:
    """Read and check a profile.

    Raises SettingsError, naming the file and every key that is unknown, missing or impossible.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in PROFILES.glob("*.yaml")))
        raise SettingsError(f"{path}: no such profile; the profiles are {known}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not a YAML file ({error})") from None
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: expected lines of 'key: value', received {type(content).__name__}")
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        raise SettingsError(f"{path}: " + "; ".join(map(_complaint, error.errors()))) from None
    _check_together(path, settings)
    return settings


def _complaint(error: dict) -> str:
    key = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"unknown key '{key}' (known keys: {', '.join(Settings.model_fields)})"
    if error["type"] == "missing":
        return f"key '{key}' is missing"
    return f"'{key}': {error['msg'][0].lower()}{error['msg'][1:]}, received {error['input']!r}"


def _check_together(path: Path, settings: Settings) -> None:
    for key, names in (("model", [settings.model]), ("native_models", settings.native_models)):
        if unknown := [name for name in names if name not in MODELS]:
            raise SettingsError(f"{path}: '{key}': expected names of {', '.join(MODELS)}, received {unknown[0]!r}")
    if settings.start == "identity" and not settings.model.startswith("srcnn"):
        raise SettingsError(f"{path}: 'start': expected random, since {settings.model} has a start of its own")
    if settings.tuning_reading_cards > settings.tuning_cards:
        raise SettingsError(
            f"{path}: 'tuning_reading_cards': expected at most tuning_cards = {settings.tuning_cards}, "
            f"received {settings.tuning_reading_cards}"
        )
    for key in ("crop_size", "tuning_crop_size", "experiment_crop_size"):
        if getattr(settings, key) > settings.image_size:
            raise SettingsError(
                f"{path}: '{key}': expected at most image_size = {settings.image_size}, "
                f"received {getattr(settings, key)}"
            )
