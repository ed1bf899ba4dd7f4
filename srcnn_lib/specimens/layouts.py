"""Where things stand on a card. All places are shares of the card's width and height."""

from dataclasses import dataclass

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Column:
    """A column of `rows` fields, each with its label."""

    box: Box
    rows: int


@dataclass(frozen=True)
class Layout:
    """One design. `labels` stand above, below or left of their values; `zone` names the MRZ's format."""

    name: str
    aspect: float  # width by height
    portrait: Box
    heading: Box
    columns: tuple[Column, ...]
    labels: str = "above"
    align: str = "left"
    band: Box | None = None
    emblem: Box | None = None
    zone: str | None = None
    signature: Box | None = None
    stamp: Box | None = None
    ghost: Box | None = None
    edge: Box | None = None  # where the number is repeated, turned by a quarter


LAYOUTS = {
    "train": (
        Layout(
            "identity",
            1.585,
            (0.03, 0.27, 0.31, 0.92),
            (0.17, 0.03, 0.72, 0.19),
            (Column((0.345, 0.24, 0.65, 0.97), 5), Column((0.68, 0.24, 0.975, 0.79), 4)),
            band=(0, 0, 1, 0.21),
            emblem=(0.03, 0.04, 0.15, 0.18),
            signature=(0.68, 0.81, 0.96, 0.96),
            stamp=(0.74, 0.05, 0.95, 0.17),
        ),
        Layout(
            "passport",
            1.42,
            (0.03, 0.17, 0.29, 0.71),
            (0.03, 0.03, 0.72, 0.14),
            (Column((0.32, 0.17, 0.63, 0.78), 5), Column((0.66, 0.17, 0.95, 0.78), 5)),
            zone="TD3",
            emblem=(0.84, 0.03, 0.95, 0.15),
            ghost=(0.55, 0.42, 0.68, 0.68),
            edge=(0.955, 0.22, 0.99, 0.72),
        ),
        Layout(
            "licence",
            1.585,
            (0.04, 0.3, 0.28, 0.84),
            (0.15, 0.04, 0.96, 0.2),
            (Column((0.32, 0.27, 0.97, 0.96), 7),),
            labels="left",
            emblem=(0.03, 0.05, 0.13, 0.2),
            signature=(0.05, 0.86, 0.28, 0.97),
        ),
        Layout(
            "permit",
            1.585,
            (0.04, 0.19, 0.22, 0.63),
            (0.04, 0.03, 0.66, 0.15),
            (Column((0.25, 0.18, 0.6, 0.66), 3), Column((0.63, 0.18, 0.97, 0.66), 3)),
            zone="TD1",
            stamp=(0.7, 0.04, 0.95, 0.15),
            band=(0, 0.68, 1, 1),
        ),
        Layout(
            "pass",
            0.68,
            (0.3, 0.16, 0.7, 0.5),
            (0.06, 0.03, 0.94, 0.13),
            (Column((0.08, 0.53, 0.95, 0.97), 6),),
            align="centre",
            band=(0, 0, 1, 0.14),
            edge=(0.82, 0.2, 0.92, 0.46),
        ),
        Layout(
            "booklet",
            1.36,
            (0.69, 0.2, 0.95, 0.62),
            (0.05, 0.04, 0.8, 0.16),
            (Column((0.05, 0.2, 0.65, 0.96), 7),),
            labels="below",
            emblem=(0.84, 0.04, 0.95, 0.15),
            signature=(0.68, 0.67, 0.96, 0.8),
            stamp=(0.68, 0.83, 0.94, 0.93),
        ),
    ),
    "validation": (
        Layout(
            "mirror",
            1.585,
            (0.7, 0.2, 0.96, 0.79),
            (0.04, 0.04, 0.66, 0.18),
            (Column((0.04, 0.23, 0.36, 0.96), 5), Column((0.39, 0.23, 0.68, 0.96), 5)),
            band=(0.68, 0, 1, 1),
            emblem=(0.84, 0.03, 0.95, 0.17),
            signature=(0.71, 0.82, 0.95, 0.95),
        ),
        Layout(
            "page",
            1.44,
            (0.04, 0.1, 0.3, 0.68),
            (0.33, 0.03, 0.97, 0.14),
            (Column((0.33, 0.17, 0.65, 0.75), 4), Column((0.68, 0.17, 0.97, 0.75), 5)),
            align="right",
            zone="TD2",
            ghost=(0.83, 0.55, 0.95, 0.76),
        ),
        Layout(
            "ledger",
            1.5,
            (0.05, 0.42, 0.27, 0.92),
            (0.05, 0.04, 0.64, 0.17),
            (Column((0.31, 0.24, 0.96, 0.97), 8),),
            labels="left",
            emblem=(0.09, 0.22, 0.22, 0.38),
            band=(0, 0, 1, 0.2),
            stamp=(0.68, 0.05, 0.95, 0.16),
        ),
    ),
    "test": (
        Layout(
            "striped",
            1.585,
            (0.12, 0.25, 0.37, 0.84),
            (0.12, 0.04, 0.95, 0.18),
            (Column((0.41, 0.23, 0.7, 0.96), 5), Column((0.73, 0.23, 0.975, 0.78), 4)),
            band=(0, 0, 0.09, 1),
            emblem=(0.015, 0.04, 0.08, 0.16),
            signature=(0.72, 0.81, 0.96, 0.96),
        ),
        Layout(
            "data page",
            1.4,
            (0.7, 0.18, 0.96, 0.72),
            (0.1, 0.03, 0.9, 0.14),
            (Column((0.05, 0.17, 0.37, 0.78), 5), Column((0.4, 0.17, 0.67, 0.66), 4)),
            align="centre",
            zone="TD3",
            emblem=(0.03, 0.03, 0.11, 0.14),
            stamp=(0.42, 0.68, 0.66, 0.78),
        ),
        Layout(
            "zoned",
            1.55,
            (0.76, 0.17, 0.96, 0.63),
            (0.16, 0.03, 0.74, 0.15),
            (Column((0.04, 0.18, 0.38, 0.67), 3), Column((0.41, 0.18, 0.74, 0.67), 3)),
            zone="TD1",
            emblem=(0.04, 0.03, 0.14, 0.15),
            band=(0, 0, 1, 0.165),
        ),
        Layout(
            "tall",
            0.66,
            (0.06, 0.15, 0.44, 0.49),
            (0.06, 0.03, 0.94, 0.12),
            (Column((0.48, 0.16, 0.96, 0.5), 4), Column((0.06, 0.53, 0.95, 0.87), 4)),
            signature=(0.1, 0.89, 0.5, 0.97),
            band=(0, 0.88, 1, 1),
            emblem=(0.72, 0.895, 0.88, 0.985),
        ),
    ),
}
