"""Sweeps: spaces, points, engines, the store, fronts and commands."""
