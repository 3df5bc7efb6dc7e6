"""Comparisons of unlike columns, read from a file: chips with their own networks, knobs and samples."""
