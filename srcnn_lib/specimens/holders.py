"""Invented holders: what the fields of a card say."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from srcnn_lib.specimens import mrz
from srcnn_lib.specimens.words import WORDS, Words

# No I, O and Q, as many states do, since they look like digits.
_LETTERS = list("ABCDEFGHJKLMNPRSTUVWXYZ")
# L is a letter, D a digit; a document number has at most nine of them.
_NUMBERS = {
    "train": ("LLDDDDDDD", "DDDDDDDDD", "LDDDDDDLL", "LL DDDDDD", "DDLLDDDDD"),
    "validation": ("DDDDDDDL", "DD-DDDDDD", "LLLDDDDDD"),
    "test": ("LLL DDDDDD", "DDDDDD LL", "LDDDDDDDD"),
}
_PERSONAL = {
    "train": ("DDDDDDDDDDD", "DDD DDD DDDD", "DDDDDDDDL"),
    "validation": ("DDDDDD-DDDL", "DDDDDDDDDD"),
    "test": ("DDDDDDDDDD", "DDDDDD/DDDD", "DDD DDD DDD"),
}
_DATES = {
    "train": ("{:%d.%m.%Y}", "{:%d/%m/%Y}", "{:%d} month {:%Y}"),
    "validation": ("{:%d-%m-%Y}", "{:%d.%m.%Y}", "{:%d}. month {:%Y}"),
    "test": ("{:%Y-%m-%d}", "{:%d. %m. %Y}", "{:%d} month {:%Y}"),
}
_HEIGHTS = {"train": "{0:.2f} m", "validation": "{1:.0f} cm", "test": "{0:.2f}"}  # metres, centimetres


@dataclass(frozen=True)
class Holder:
    """The values of a card by field, and what the machine-readable zone needs of them."""

    values: dict[str, str]
    state: tuple[str, str]
    sex: str
    birth: date
    expires: date

    def zone(self, kind: str) -> list[str]:
        """Return the lines of the machine-readable zone of format `kind`."""
        bare = {name: "".join(filter(str.isalnum, self.values[name])) for name in ("number", "personal_no")}
        return mrz.lines(
            kind, code="P" if kind == "TD3" else "I", state=self.state[1], surname=self.values["surname"],
            given=self.values["given"], number=bare["number"], birth=self.birth, expires=self.expires,
            sex=self.sex, optional=bare["personal_no"],
        )  # fmt: skip


def holder(rng: np.random.Generator, pool: str) -> Holder:
    """Invent a holder with the words, number and date formats of `pool`."""
    words = WORDS[pool]
    pick = lambda choices: choices[rng.integers(len(choices))]  # noqa: E731
    state, sex = pick(words.states), pick("FFFMMMX")
    birth = date(1935, 1, 1) + timedelta(days=int(rng.integers(26000)))
    issued = date(2010, 1, 1) + timedelta(days=int(rng.integers(5400)))
    expires = issued + timedelta(days=3652)
    tall = rng.uniform(1.48, 2.02)
    dates, case = pick(_DATES[pool]), pick((str.upper, str.upper, str))
    givens = [_name(rng, words.givens) for _ in range(rng.integers(1, 3))]
    values = {
        "surname": case(_name(rng, words.surnames)),
        "given": case(" ".join(givens)),
        "birth_date": _date(dates, birth, words),
        "birth_place": case(_name(rng, words.towns)),
        "nationality": pick((state[0], state[1], case(state[0]))),
        "sex": sex,
        "height": _HEIGHTS[pool].format(tall, 100 * tall),
        "number": _code(rng, pick(_NUMBERS[pool])),
        "personal_no": _code(rng, pick(_PERSONAL[pool])),
        "issued": _date(dates, issued, words),
        "expires": _date(dates, expires, words),
        "authority": f"{pick(words.offices)} {_name(rng, words.towns)}",
        "address": f"{pick(words.streets)} {rng.integers(1, 200)}, {_name(rng, words.towns)}",
        "eyes": pick(words.eyes),
        "profession": pick(words.professions),
    }
    return Holder(values, state, sex, birth, expires)


def _name(rng: np.random.Generator, parts: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    return "".join(choices[rng.integers(len(choices))] for choices in parts)


def _code(rng: np.random.Generator, pattern: str) -> str:
    signs = {"L": lambda: str(rng.choice(_LETTERS)), "D": lambda: str(rng.integers(10))}
    return "".join(signs[sign]() if sign in signs else sign for sign in pattern)


def _date(pattern: str, day: date, words: Words) -> str:
    return pattern.replace("month", words.months[day.month - 1]).format(day, day)
