"""The networks that come with the enhancer, as ONNX files; `weights.json` says what each was made from."""

from pathlib import Path

FOLDER = Path(__file__).parent
