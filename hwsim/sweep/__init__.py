"""Design spaces evaluated point by point: engines, a store that resumes, searches and Pareto fronts.

The room is called like the function, and is it: ``hwsim.sweep(space)`` runs `hwsim.sweep.driver.sweep`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Evaluate a design space; see `hwsim.sweep.driver.sweep`."""
        from hwsim.sweep.driver import sweep

        return sweep(*arguments, **options)


sys.modules[__name__].__class__ = _Room
