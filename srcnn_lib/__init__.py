"""Shared functions of the report: one module a stage, imported by the notebooks and by the tests."""

import os

# TensorFlow reads these when it is first imported; both only quieten or fix its choice of log and backend.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
