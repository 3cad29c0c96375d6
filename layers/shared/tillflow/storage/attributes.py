"""
DynamoDB's typed attribute values, to and from plain Python.

boto3 has such a serializer; it gives numbers back as `Decimal` and is the larger part of a warm call's own time.
Tillflow stores text, integers, booleans, bytes, lists and maps: a float is refused, so money cannot become one.
"""

import base64
from collections.abc import Mapping
from typing import Any

type Item = dict[str, Any]


def to_attribute(value: Any) -> dict[str, Any]:
    """
    Return *value* as a DynamoDB attribute value.

    Raises:
        TypeError: it is of a type Tillflow does not store (a float, None).
    """
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case list():
            return {"L": [to_attribute(member) for member in value]}
        case dict():
            return {"M": to_item(value)}
    raise TypeError(f"{type(value).__name__} is not stored in DynamoDB by Tillflow")


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* as a DynamoDB item, leaving out those that are None."""
    return {name: to_attribute(value) for name, value in values.items() if value is not None}


def _from_attribute(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return int(value)
        case "L":
            return [_from_attribute(member) for member in value]
        case "M":
            return from_item(value)
    return value


def from_image(image: Mapping[str, Any]) -> Item:
    """
    Return the item of a stream record, as Lambda passes it on (its bytes in base64), as plain Python values.

    Raises:
        ValueError: its bytes are not base64.
    """
    return {
        name: base64.b64decode(each["B"], validate=True) if "B" in each else _from_attribute(each) for name, each in image.items()
    }


def from_item(item: Mapping[str, Any]) -> Item:
    """Return the DynamoDB *item* as plain Python values."""
    return {name: _from_attribute(attribute) for name, attribute in item.items()}
