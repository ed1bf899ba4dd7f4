"""Errors that were foreseen: their message alone tells a person what to do, so no traceback is shown."""


class ForeseenError(ValueError):
    """Base of the errors below."""


class SettingsError(ForeseenError):
    """A profile that cannot be used; the message names each key and what was expected of it."""


class DataError(ForeseenError):
    """A data folder that cannot be used."""


class ImageError(ForeseenError):
    """An image file that cannot be used; the message names the file and says what was expected.

    `reason` says the same without naming the file or its folder.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class RunError(ForeseenError):
    """A run folder that lacks what a stage needs."""


class ExecutionError(ForeseenError):
    """A notebook that failed; the message says where its traceback lies."""
