"""Machine-readable zones of travel documents, after ICAO Doc 9303 (parts 3 to 6, 8th edition)."""

import unicodedata
from datetime import date
from itertools import cycle

LENGTHS = {"TD1": (30, 30, 30), "TD2": (36, 36), "TD3": (44, 44)}
_VALUES = {sign: value for value, sign in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}
# Part 3, table 6 writes these as two letters; every other accent is simply dropped.
_TWO_LETTERS = str.maketrans(
    {
        "Ä": "AE",
        "Å": "AA",
        "Æ": "AE",
        "Ö": "OE",
        "Ø": "OE",
        "Ü": "UE",
        "ß": "SS",
        "Ł": "L",
        "Đ": "D",
        "Þ": "TH",
        "Œ": "OE",
    }
)

# Line, first and last column (from 0, last one excluded) of each piece that a check digit follows.
_CHECKED = {
    "TD1": ((0, 5, 14), (1, 0, 6), (1, 8, 14)),
    "TD2": ((1, 0, 9), (1, 13, 19), (1, 21, 27)),
    "TD3": ((1, 0, 9), (1, 13, 19), (1, 21, 27), (1, 28, 42)),
}
# The pieces that the composite digit at the end of the second line covers, in order.
_COMPOSITE = {
    "TD1": ((0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)),
    "TD2": ((1, 0, 10), (1, 13, 20), (1, 21, 35)),
    "TD3": ((1, 0, 10), (1, 13, 20), (1, 21, 43)),
}


def check_digit(text: str) -> str:
    """Return the check digit of `text`: its values weighted 7, 3, 1, modulo 10 (Doc 9303-3, 4.9).

    Digits count as themselves, A to Z as 10 to 35, the filler `<` as 0. Raises ValueError for any
    other character.

    >>> check_digit("L898902C3")
    '6'
    """
    try:
        return str(sum(_VALUES[character] * weight for character, weight in zip(text, cycle((7, 3, 1)))) % 10)
    except KeyError as error:
        raise ValueError(f"{text!r}: expected 0-9, A-Z and <, received {error.args[0]!r}") from None


def plain(text: str) -> str:
    """Write `text` with A-Z, 0-9 and `<` only: accents are dropped, apostrophes too, the rest is filler."""
    letters = unicodedata.normalize("NFKD", text.upper().translate(_TWO_LETTERS))
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter) and letter != "'")
    return "".join(letter if letter in _VALUES else "<" for letter in letters)


def lines(
    kind: str, *, code: str, state: str, surname: str, given: str, number: str, birth: date, expires: date,
    sex: str, optional: str = "",
) -> list[str]:  # fmt: skip
    """Return the lines of one zone.

    Parameters
    ----------
    kind
        "TD1" (three lines of 30 characters), "TD2" (two of 36) or "TD3" (two of 44).
    code
        The document's one or two letters, such as "I" or "P".
    state
        Three letters, used as issuer and nationality.
    surname, given
        Names as written, shortened where the line is full; accents are dropped.
    number
        At most 9 characters.
    sex
        "F", "M" or "X", which the zone writes as a filler.
    optional
        Personal number, cut to the room there is.

    Raises ValueError for an unknown kind or a number that is too long.
    """
    if kind not in LENGTHS:
        raise ValueError(f"expected one of {', '.join(LENGTHS)}, received {kind!r}")
    if len(number) > 9:
        raise ValueError(f"expected a document number of at most 9 characters, received {number!r}")
    head = plain(code).ljust(2, "<") + state
    names = f"{plain(surname)}<<{plain(given)}"
    numbered = _checked(plain(number).ljust(9, "<"))
    born, expiring = _checked(f"{birth:%y%m%d}"), _checked(f"{expires:%y%m%d}")
    holder, extra = born + ("<" if sex == "X" else sex) + expiring, plain(optional)
    if kind == "TD1":
        zone = [head + numbered + _fill(extra, 15), holder + state + "<" * 11, _fill(names, 30)]
    elif kind == "TD2":
        zone = [head + _fill(names, 31), numbered + state + holder + _fill(extra, 7)]
    else:
        zone = [head + _fill(names, 39), numbered + state + holder + _checked(_fill(extra, 14))]
    zone[1] += check_digit(_pieces(zone, _COMPOSITE[kind]))
    return zone


def valid(zone: list[str]) -> bool:
    """Whether `zone` has the size of a TD1, TD2 or TD3 zone, its characters only, and right check digits.

    An empty personal number of TD3 may have a filler for its check digit (Doc 9303-4, 4.2.2.2).
    """
    kind = next((kind for kind, lengths in LENGTHS.items() if lengths == tuple(map(len, zone))), None)
    if kind is None or set("".join(zone)) - set(_VALUES):
        return False
    return zone[1][-1] == check_digit(_pieces(zone, _COMPOSITE[kind])) and all(
        _digit_fits(zone[line][start:end], zone[line][end]) for line, start, end in _CHECKED[kind]
    )


def _digit_fits(text: str, digit: str) -> bool:
    return digit == check_digit(text) or (digit == "<" and len(text) == 14 and not text.strip("<"))


def _checked(text: str) -> str:
    return text + check_digit(text)


def _fill(text: str, length: int) -> str:
    return text[:length].ljust(length, "<")


def _pieces(zone: list[str], where: tuple[tuple[int, int, int], ...]) -> str:
    return "".join(zone[line][start:end] for line, start, end in where)
