"""
Whether a payload fits a schema, and if not, where: by jsonschema-rs, without the network, its patterns matched in linear time.

The library is imported with the first schema: events of types that nobody has registered pay nothing for it.
"""

from functools import cached_property
from typing import Any

from tillflow.contexts.eventflow.bounds import Breadth, InvalidSchema, measure

# What a pattern may become when it is compiled, and may have at hand.
_PATTERN_BYTES = 1 << 20
# An error in a choice tells of every branch, of every branch within, and so on: more are not gathered only to name a place.
_MOST_GATHERED = 100_000
_MAX_MESSAGE = 200


class Fitting:
    """A schema, compiled."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """
        Compile a schema that is bounded.

        Raises:
            InvalidSchema: it is none; the message names the place.
        """
        import jsonschema_rs

        self._schema = schema
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                schema,
                pattern_options=jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=_PATTERN_BYTES),
                mask="it",
                offline=True,
            )
        except jsonschema_rs.ValidationError as error:
            raise InvalidSchema(_in_words("#", error)) from error
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise InvalidSchema(str(error)[:_MAX_MESSAGE]) from error
        self._refused = jsonschema_rs.ValidationError

    def takes(self, payload: Any) -> bool:
        """Tell whether a payload fits."""
        return self._validator.is_valid(payload)

    def problem(self, payload: Any) -> str | None:
        """Return where a payload does not fit first, and why, without repeating it; None if it fits."""
        try:
            if self.takes(payload):
                return None
        except ValueError:
            return "payload: a text in it has half of a character (a lone surrogate)."
        if self._gathered(payload) > _MOST_GATHERED:
            return "payload: it does not fit the schema; it is too large, or too deep, to say where."
        try:
            self._validator.validate(payload)
        except self._refused as error:
            return _in_words("payload", error)
        return None

    def _gathered(self, payload: Any) -> int:
        """Return how many errors there may be in one, at most."""
        breadth = self._breadth
        if not breadth.chosen:
            return 0
        values = depth = 0
        level = [payload]
        while level:
            values, depth = values + len(level), depth + 1
            containers = [value for value in level if isinstance(value, dict | list)]
            level = [each for value in containers for each in (value.values() if isinstance(value, dict) else value)]
        ways: int = max(1, breadth.returns) ** depth
        return values * breadth.chosen * ways

    @cached_property
    def _breadth(self) -> Breadth:
        return measure(self._schema)


def _in_words(root: str, error: Any) -> str:
    separator = "/" if root == "#" else "."
    place = separator.join((root, *map(str, error.instance_path)))
    message = error.message if len(error.message) <= _MAX_MESSAGE else f"{error.message[:_MAX_MESSAGE]}…"
    return f"{place}: {message}"
