"""Recorded one-minute bars."""

from pathlib import Path

RECORDING = Path(__file__).resolve().parents[2] / "alpaca-paper/data/one-minute-bars.csv.gz"
