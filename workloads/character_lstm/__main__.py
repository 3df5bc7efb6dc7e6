"""Writes the measured zero states of the pruned network, for chips that skip them."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from workloads.character_lstm.model import SEQUENCES, load_model, load_text, zero_states


def main() -> None:
    """Write the masks of all held-out sequences; a smaller batch takes the first ones."""
    parser = argparse.ArgumentParser(prog="workloads.character_lstm", description="Write zero-state masks.")
    parser.add_argument("output", type=Path, help="file to write, for example masks.npz")
    output = parser.parse_args().output
    masks = zero_states(load_model("pruned"), load_text(), SEQUENCES)
    beside = output.with_name(f".{output.name}.partial")
    with beside.open("wb") as file:
        np.savez_compressed(file, lstm0=masks)
    beside.replace(output)


if __name__ == "__main__":
    main()
