"""
MiniStack, run by its own Python from this file's path, with one fault of 1.5.33 mended.

When it updates a nested stack, it forgets the attributes of every resource that stays as it is (a stack of its own, it hands
them on): a new index on one table, and the ARNs of all others are gone. Here they are remembered.
"""

import sys
from typing import Any

from ministack.app import main  # type: ignore[import-not-found] # it lives in an environment of its own
from ministack.services.cloudformation import _stacks, provisioners  # type: ignore[import-not-found] # as above

_update_resource = provisioners._update_resource  # noqa: SLF001 - what is mended is its own


def _update(kind: str, physical_id: str, old: Any, new: Any, stack: str, logical_id: str | None = None, known: Any = None) -> Any:
    """Update a resource; where its attributes are not *known*, they are those that its stack has of it."""
    if known is None:
        known = _stacks.get(stack, {}).get("_resources", {}).get(logical_id, {}).get("Attributes")
    return _update_resource(kind, physical_id, old, new, stack, logical_id, known)


provisioners._update_resource = _update  # noqa: SLF001 - as above
sys.exit(main())
