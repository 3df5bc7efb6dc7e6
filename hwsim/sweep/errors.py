"""What can go wrong in a sweep besides its points."""

from __future__ import annotations

from hwsim.errors import InputError


class StoreError(InputError):
    """A results file that is locked, foreign, corrupt, of another schema, or on a disk that is full."""


class ForeignWorker(InputError):
    """A worker runs another version of the model than the sweep was planned with."""


class EngineLost(InputError):
    """The engine cannot be reached, or was lost in the middle; what it had finished is stored."""
