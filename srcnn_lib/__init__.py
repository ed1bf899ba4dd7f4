"""Shared functions of the report: one module a stage, imported by the notebooks and by the tests."""

import os

# TensorFlow reads these when it is first imported; both only quieten or fix its choice of log and backend.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


def __getattr__(name: str):
    """`srcnn_lib.enhance(image)`, without loading anything for those who do not use it."""
    if name == "enhance":
        from srcnn_lib.enhancer import enhance

        return enhance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
