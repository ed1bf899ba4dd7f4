# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.format_version,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 Entering the pipeline
#
# ## 2.1 Data inspection and importing
#
# The data lie in two folders, `blurred_images` and `sharpened_images`. Two files of one name show the same
# card. Before anything is learned from them we look into every file: which have a partner, which can be
# read, how large they are.

# %% tags=["parameters"]
run_folder = "../reports/standard"
seed = 1
image_size = 256
max_megapixels = 100.0
min_layout = 0.36
min_detail = 0.4
max_detail = 0.997
min_contrast_kept = 0.2
max_shift = 10.0
duplicate_bits = 24
set_aside_flags = ["other card"]

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from srcnn_lib import figures, images, metrics, original, pairs, quality
from srcnn_lib.runs import Run

run = Run(run_folder)

# %%
found = pairs.index(run.data_folder, max_megapixels=max_megapixels)
measures = quality.measure(run.data_folder, found.pairs)
limits = {
    "min_layout": min_layout,
    "min_detail": min_detail,
    "max_detail": max_detail,
    "min_contrast_kept": min_contrast_kept,
    "max_shift": max_shift,
}
flags = quality.flags(measures, limits)
couples = quality.near_duplicates(measures.set_index("name")["hash"], max_distance=duplicate_bits)

# %%
dropped = flags[flags["flag"].isin(set_aside_flags)].drop_duplicates("name").merge(found.pairs, on="name")
table = found.pairs[~found.pairs["name"].isin(dropped["name"])].reset_index(drop=True)
set_aside = pd.concat(
    [found.set_aside]
    + [
        (dropped["flag"] + ": " + dropped["reason"]).to_frame("reason").assign(file=dropped[side])
        for side in ("low", "high")
    ],
    ignore_index=True,
)[["file", "reason"]]
run.write_table("01_inspection/pairs.csv", table)
run.write_table("01_inspection/set_aside.csv", set_aside)
run.write_table("01_inspection/files.csv", found.files)
run.write_table("01_inspection/quality.csv", measures)
run.write_table("01_inspection/flags.csv", flags)
run.write_table("01_inspection/near_duplicates.csv", couples)

# %% [markdown]
# ### What is there
#
# The original's names, such as `f.h.fornt.5000`, hold a letter and a number. It guesses that `h` and `v`
# stand for “high” and “very high”, two degrees of blur or sharpness.

# %%
numbers = table["number"].dropna()
first, last = original.NUMBERS
missing = pairs.gaps(numbers)
summary = {
    "pairs": len(table),
    "files_set_aside": len(set_aside),
    "pairs_per_variant": {str(name): int(count) for name, count in table["variant"].value_counts().items()},
    "first_number": int(numbers.min()) if len(numbers) else None,
    "last_number": int(numbers.max()) if len(numbers) else None,
    "numbers_missing": len(missing),
    "mean_megapixels": float((table["width"] * table["height"]).mean() / 1e6),
    "data_sha256": pairs.data_hash(table),
}
run.write_json("01_inspection/summary.json", summary)
number_range = f"{summary['first_number']} to {summary['last_number']}" if len(numbers) else "no numbers in the names"
letters = ", ".join(f"{letter}: {count:,}" for letter, count in summary["pairs_per_variant"].items())
figures.beside_original(
    [
        ("sound pairs", f"{summary['pairs']:,}", f"{original.PAIRS:,}"),
        (
            "pairs of each letter",
            letters or "no letters in the names",
            f"h: {original.PAIRS_PER_VARIANT:,}, v: {original.PAIRS_PER_VARIANT:,}",
        ),
        ("numbers", number_range, f"{first} to {last}"),
        ("numbers missing in between", summary["numbers_missing"] if len(numbers) else "", "not reported"),
        ("mean size in megapixels", f"{summary['mean_megapixels']:.2f}", "not reported"),
        ("files set aside", summary["files_set_aside"], "none, though some are called too hazy"),
    ],
    caption="The data set in numbers, beside the original's.",
    private=["numbers"],  # they are parts of file names
)

# %%
Markdown(
    f"The original speaks of {original.PAIRS_PER_VARIANT:,} images of each letter, numbered {first} to {last}. That range "
    f"holds {last - first + 1:,} numbers, so either one is missing or the last is {last - 1}."
)

# %% [markdown]
# ### What was set aside
#
# A file that cannot be used does not stop the run. It is listed here with its reason, and nothing is dropped
# without being listed. Pairs whose two sides show different cards are no pairs, and are set aside as well.

# %%
LISTED = 1000  # rows; the page should stay one that can be opened
if len(set_aside):
    rest = (
        f"; the first {LISTED:,} are shown, set_aside.csv in the run folder has them all"
        if len(set_aside) > LISTED
        else ""
    )
    shown = figures.table(set_aside.head(LISTED), caption=f"Files set aside ({len(set_aside):,}{rest}).")
else:
    shown = Markdown("Nothing was set aside: every file has a readable partner of its own size.")
shown

# %% [markdown]
# ### What kinds of files ◆
#
# Formats, colour modes and EXIF orientations, as the files themselves state them (1 is upright).

# %%
kinds = (
    found.files.groupby(["format", "mode", "orientation"])
    .agg(files=("file", "size"), megabytes=("bytes", "sum"))
    .reset_index()
)
kinds["megabytes"] /= 1e6
figures.table(kinds, caption="Kinds of image files.", formats={"megabytes": "{:,.1f}", "files": "{:,}"})

# %% [markdown]
# ### Sizes
#
# The original's images all differ in width and height, it says, without showing how much.

# %%
figures.figure(
    figures.sizes(table),
    caption="Width and height of every pair, and the ratio of the two.",
    alt=f"Scatter plot and histogram: widths from {table['width'].min()} to {table['width'].max()} pixels, heights from "
    f"{table['height'].min()} to {table['height'].max()} pixels.",
)

# %%
sizes_used = table[["width", "height"]].drop_duplicates()
Markdown(f"The {len(table):,} pairs have {len(sizes_used):,} different sizes. Both images of a pair have the same.")

# %% [markdown]
# ### Which pairs to doubt
#
# The original calls some images too hazy, some pairs too bad or too good to learn from, and names no rule.
# Here each pair is measured. *Detail* is the correlation of the fine structure of both sides, strokes of
# letters above all: near 0 nothing of it is left, near 1 there is nothing to repair. *Layout* is the
# correlation of both sides shrunk to a stamp: it tells whether they show the same card at all. *Contrast kept*
# is the contrast of the blurred side over that of the sharp one. *Shift* is how far one side must be moved
# to fit the other.

# %%
figures.figure(
    figures.quality_spread(measures, limits, flags),
    caption="Detail, layout, contrast and shift of every pair. Dashed lines are the limits in the profile; flagged pairs are crosses.",
    alt="Two scatter plots: layout against detail, and shift against contrast kept, with flagged pairs beyond the limits.",
)

# %%
counts = flags["flag"].value_counts()
figures.table(
    pd.DataFrame(
        [
            (flag, meaning, int(counts.get(flag, 0)), "set aside" if flag in set_aside_flags else "kept")
            for flag, meaning in quality.FLAGS.items()
        ],
        columns=["flag", "meaning", "pairs", "what happens"],
    ),
    caption="Flagged pairs, and what this run does with them.",
)

# %%
# Another pair for each flag, where that can be.
elsewhere = flags.drop_duplicates("name").drop_duplicates("flag")
shown = pd.concat([elsewhere, flags]).drop_duplicates("flag").merge(found.pairs, on="name")
gallery = []
for pair in shown.itertuples():
    low, high = pairs.read_pair(run.data_folder, pair)
    gallery += [(f"{pair.flag}: {pair.name}, low", low), ("high", high)]
if gallery:
    display(
        figures.figure(
            figures.side_by_side(gallery, columns=4),
            caption="The clearest pair of each flag that was raised.",
            alt="Pairs of images, one for each flag: " + ", ".join(shown["flag"]) + ".",
        )
    )
else:
    display(Markdown("No pair was flagged."))

# %% [markdown]
# ### Duplicates ◆
#
# The same file twice, or nearly the same picture under two names, would let a test card into training. The
# perceptual hashes of the sharp sides tell: 256 bits each, of which near-duplicates differ in few.

# %%
number_of = found.pairs.set_index("name")["number"].astype("Int64").fillna(-1).astype(int)
numbers_of_couples = number_of[couples["first"]].to_numpy(), number_of[couples["second"]].to_numpy()
known = (numbers_of_couples[0] == numbers_of_couples[1]) & (numbers_of_couples[0] >= 0)
strangers = couples[~known]
same_bytes = int(found.pairs["high_sha256"].duplicated().sum())
same_sides = int((found.pairs["low_sha256"] == found.pairs["high_sha256"]).sum())
Markdown(
    f"{same_bytes:,} sharp files have the very bytes of another one, and {same_sides:,} pairs have two identical sides. "
    f"{len(couples):,} couples of sharp images differ in at most {duplicate_bits} bits; {int(known.sum()):,} of them carry the same "
    f"number and are the letters of one card, and **{len(strangers):,}** do not. The split of section 2.3 keeps all of them together."
)

# %% [markdown]
# ### How far to trust these rules ◆
#
# The drawn data set contains planted faults, and its truth says where. The limits in the profile were chosen
# on a set drawn from another seed than this one.

# %%
faults_table = run.data_folder / "truth" / "faults.csv"
if faults_table.exists():
    faults = pd.read_csv(faults_table)
    faults["name"] = [f"f.{row.variant}.fornt.{row.number}" for row in faults.itertuples()]
    flagged = flags.groupby("flag")["name"].agg(set)
    unusable = {Path(file).stem for file in found.set_aside["file"]}
    differ = {Path(row.file).stem for row in found.set_aside.itertuples() if "sizes differ" in row.reason}
    empty: set = set()
    planted = {
        "too bad or too hazy": set(faults.loc[faults["fault"] == "too_bad", "name"]),
        "too good": set(faults.loc[faults["fault"] == "too_good", "name"]),
        "another card on one side": set(faults.loc[faults["fault"] == "swapped_partner", "name"]),
        "nearly another pair": set(faults.loc[faults["fault"] == "near_duplicate", "name"]),
        "missing or broken file": set(
            faults.loc[
                faults["fault"].isin(["missing_blurred", "missing_sharpened", "truncated", "empty", "text"]), "name"
            ]
        ),
    }
    later = {
        max(couple, key=lambda name: int(name.split(".")[-1]))
        for couple in strangers[["first", "second"]].itertuples(index=False, name=None)
    }
    said = {
        "too bad or too hazy": flagged.get("too bad", empty) | flagged.get("too hazy", empty),
        "too good": flagged.get("too good", empty),
        "another card on one side": flagged.get("other card", empty) | differ,
        "nearly another pair": later,
        "missing or broken file": unusable - differ,
    }
    trust = quality.found_and_planted(said, planted)
    run.write_table("01_inspection/planted_faults.csv", trust)
    display(
        figures.table(
            trust,
            caption="Planted faults, in pairs, and how many of them the rules above found, by whatever sign.",
            formats={"precision": "{:.2f}", "recall": "{:.2f}"},
        )
    )
    wrongly = {kind: sorted(said[kind] - planted[kind]) for kind in said}
    missed = {kind: sorted(planted[kind] - said[kind]) for kind in said}
    display(
        Markdown(
            "\n".join(
                f"- {what}: "
                + ("; ".join(f"{', '.join(names)} ({kind})" for kind, names in by_kind.items() if names) or "none")
                + "."
                for what, by_kind in (("Flagged without a planted fault", wrongly), ("Planted and not found", missed))
            )
        )
    )
else:
    display(Markdown("This folder comes without a table of planted faults, so the rules cannot be scored on it."))

# %% [markdown]
# ### What h and v stand for
#
# The original guesses degrees of blur or sharpness, or of resolution. Both can be measured.

# %%
lettered = measures.merge(found.pairs[["name", "variant", "width", "height"]], on="name").dropna(subset="variant")
if lettered["variant"].nunique() > 1:
    by_letter = (
        lettered.assign(megapixels=lettered["width"] * lettered["height"] / 1e6)
        .groupby("variant")[["megapixels", "low_sharpness", "high_sharpness", "detail", "contrast_kept", "low_noise"]]
        .mean()
        .reset_index()
    )
    display(
        figures.table(
            by_letter.rename(
                columns={
                    "low_sharpness": "sharpness, low",
                    "high_sharpness": "sharpness, high",
                    "contrast_kept": "contrast kept",
                    "low_noise": "noise, low",
                }
            ),
            caption="Means over the pairs of each letter: size, sharpness of both sides, detail and contrast left, noise.",
            formats={
                "megapixels": "{:.3f}",
                "sharpness, low": "{:.2f}",
                "sharpness, high": "{:.2f}",
                "detail": "{:.3f}",
                "contrast kept": "{:.2f}",
                "noise, low": "{:.2f}",
            },
        )
    )
    ordered = by_letter.sort_values("detail")
    weakest, strongest = ordered.iloc[0], ordered.iloc[-1]
    display(
        Markdown(
            f"The letters differ in how much the blurred side has lost: {strongest['detail']:.3f} of the detail is left with "
            f"“{strongest['variant']}”, {weakest['detail']:.3f} with “{weakest['variant']}”. Sizes "
            f"{'agree' if np.isclose(by_letter['megapixels'].min(), by_letter['megapixels'].max(), rtol=0.02) else 'differ'}. "
            f"So here the letter stands for a degree of degradation, and “{weakest['variant']}” is the stronger one."
        )
    )
else:
    display(Markdown("The names in this folder hold no such letters."))

# %% [markdown]
# ### Importing
#
# To train on whole images in batches, the original squashed each to a square, and suspected afterwards
# that this had been a mistake: letters lose their proportions, and large images lose pixels.

# %%
example = table.iloc[0]
low, high = pairs.read_pair(run.data_folder, example)
squashed = pairs.squash(high, image_size)
figures.figure(
    figures.side_by_side(
        [
            (f"as it is, {example['width']}×{example['height']}", high),
            (f"squashed to {image_size}×{image_size}", squashed),
        ],
        columns=2,
    ),
    caption=f"{example['name']}, sharp side, before and after squashing.",
    alt=f"The image {example['name']} at its own proportions, and the same squashed to a square.",
)

# %%
sample = table.sample(min(40, len(table)), random_state=seed)
there_and_back = []
for pair in sample.itertuples():
    sharp = images.read(run.data_folder / pair.high)
    back = pairs.unsquash(pairs.squash(sharp, image_size), sharp.shape)
    there_and_back.append({"psnr": metrics.psnr(sharp, back, data_range=255), **quality.compare(back, sharp)})
lost = pd.DataFrame(there_and_back)
kept_pixels = float((image_size**2 / (table["width"] * table["height"])).clip(upper=1).mean())
summary |= {"psnr_of_squash": float(lost["psnr"].mean()), "detail_after_squash": float(lost["detail"].mean())}
run.write_json("01_inspection/summary.json", summary)
Markdown(
    f"On average {1 - kept_pixels:.0%} of the pixels are given up. Squashing a sharp image and stretching it back, with nothing "
    f"done to it in between, costs so much that only {summary['psnr_of_squash']:.1f} dB are left ({len(sample)} images), though the measure of detail "
    f"above, which looks at the image as a whole, hardly sees it ({summary['detail_after_squash']:.2f}). A network that works on squashed images has to win this "
    "back before it gains anything. The alternative, used wherever reading matters, is to train on crops at native resolution."
)

# %% [markdown]
# Values are scaled from [0, 255] to [0, 1] when batches are made. The original says that this helps training;
# section 2.7 puts it to the test.
