"""Facts and figures of the original report, always shown as the original's.

Bassil Usama El-Oraby, "Image Enhancement Using Deep Learning". Each constant names its section.
"""

import pandas as pd

CONTENTS = (
    ("1", "Introduction"),
    ("1.1", "Abstract"),
    ("1.2", "Related work"),
    ("2", "Entering the pipeline"),
    ("2.1", "Data inspection and importing"),
    ("2.2", "Exploratory data analysis"),
    ("2.3", "Train/Val/Test splits"),
    ("2.4", "Pre-processing"),
    ("2.5", "Model selection"),
    ("2.6", "Model construction"),
    ("2.7", "Model training"),
    ("2.8", "Evaluation metrics"),
    ("2.9", "Model evaluation"),
    ("2.10", "Model and hyperparameters tuning"),
    ("3", "Conclusion and final remarks"),
)
"""Numbers and headings of its contents page."""

PAIRS = 4060  # 2.1
PAIRS_PER_VARIANT = 2030  # 2.1
NUMBERS = (5000, 7030)  # 2.1: first and last, said to be 2030 numbers
MEAN_INTENSITY = 175.54358  # 2.2, grey levels
MEAN_INTENSITY_DEVIATION = 20.22926  # 2.2, grey levels
IMAGE_SIZE = 256  # 2.3, pixels
PAIRS_USED = 855  # 2.3
SPLIT = {"train": 700, "validation": 130, "test": 25}  # 2.3
LAYERS = ((64, 9, 15616), (32, 1, 2080), (3, 5, 2403))  # 2.6: filters, kernel side, parameters
PARAMETERS = 20099  # 2.6
LEARNING_RATE = 0.0008  # 2.6
EPOCHS, BATCH_SIZE, STEPS_PER_EPOCH = 40, 10, 70  # 2.7

LOSS = (  # 2.7: training loss of epochs 1 to 40
    0.0554, 0.0078, 0.0060, 0.0052, 0.0048, 0.0046, 0.0045, 0.0042, 0.0040, 0.0042,
    0.0038, 0.0036, 0.0035, 0.0034, 0.0034, 0.0033, 0.0032, 0.0031, 0.0031, 0.0030,
    0.0030, 0.0029, 0.0029, 0.0029, 0.0029, 0.0029, 0.0029, 0.0028, 0.0029, 0.0028,
    0.0028, 0.0028, 0.0028, 0.0027, 0.0027, 0.0027, 0.0027, 0.0028, 0.0027, 0.0027,
)  # fmt: skip
VAL_LOSS = (  # 2.7: validation loss of epochs 1 to 40
    0.0100, 0.0074, 0.0062, 0.0056, 0.0053, 0.0050, 0.0049, 0.0046, 0.0044, 0.0044,
    0.0042, 0.0041, 0.0041, 0.0039, 0.0040, 0.0037, 0.0036, 0.0037, 0.0035, 0.0036,
    0.0035, 0.0034, 0.0035, 0.0033, 0.0034, 0.0033, 0.0032, 0.0034, 0.0033, 0.0032,
    0.0032, 0.0032, 0.0033, 0.0032, 0.0031, 0.0032, 0.0031, 0.0032, 0.0032, 0.0031,
)  # fmt: skip
MILLISECONDS_PER_STEP = (  # 2.7
    59, 52, 50, 51, 51, 52, 53, 53, 53, 54, 53, 53, 54, 54, 56, 53, 54, 55, 57, 55,
    55, 56, 57, 57, 57, 57, 58, 55, 55, 54, 54, 55, 55, 54, 57, 56, 56, 55, 55, 55,
)  # fmt: skip
SECONDS_PER_EPOCH = (20,) + (4,) * 39  # 2.7
TEST_PSNR = 24.956628799438477  # 2.9, dB, mean over 25 images
TEST_MSE = 0.003049067920073867  # 2.9, mean over 25 images
PSNR_YARDSTICK = 31.0  # 2.9, dB, what it takes from the SRCNN paper


def log() -> pd.DataFrame:
    """The 40 lines of its training log, by epoch, in the names of the report's own."""
    columns = {"loss": LOSS, "val_loss": VAL_LOSS, "seconds": SECONDS_PER_EPOCH, "ms a step": MILLISECONDS_PER_STEP}
    return pd.DataFrame(columns, index=pd.RangeIndex(1, EPOCHS + 1, name="epoch"))
