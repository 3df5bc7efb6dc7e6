"""Decides in which order operators run and where their tensors live in a scratchpad."""
