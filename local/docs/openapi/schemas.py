"""JSON Schemas (2020-12, as OpenAPI 3.1 has them) of the models and typed dictionaries that routes name."""

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

type Json = dict[str, Any]

PREFIX = "#/components/schemas/"


class _Untitled(GenerateJsonSchema):
    """Pydantic's generator, without the titles that only repeat a field's name."""

    def field_title_should_be_set(self, _: Any) -> bool:
        return False


class Schemas:
    """The schemas of *types*; `components` has the shared ones."""

    def __init__(self, types: Iterable[Any]) -> None:
        mode: JsonSchemaMode = "validation"
        inputs = [(each, mode, TypeAdapter(each)) for each in dict.fromkeys(types)]
        of_types, shared = TypeAdapter.json_schemas(inputs, ref_template=PREFIX + "{model}", schema_generator=_Untitled)
        self._shared: Json = shared.get("$defs", {})
        self._of = {kind: self._inlined(schema) for (kind, _), schema in of_types.items()}
        self.components = {name: self._inlined(schema) for name, schema in self._shared.items() if self._is_named(name)}

    def of(self, kind: Any) -> Json:
        """Return the schema of a type: a reference, where it has a name."""
        schema: Json = self._of[kind]
        return schema

    def properties(self, kind: Any) -> Json:
        """Return the schema of each field of a model."""
        schema = self.of(kind)
        properties: Json = self.components[schema["$ref"].removeprefix(PREFIX)]["properties"]
        return properties

    def patch_of(self, kind: Any) -> Json:
        """Return the schema of a JSON Merge Patch of a model: every field may be left out, and an optional one taken away."""
        required = self.components[self.of(kind)["$ref"].removeprefix(PREFIX)].get("required", [])

        def patched(name: str, schema: Json) -> Json:
            plain = {key: value for key, value in schema.items() if key != "default"}
            return plain if name in required or "anyOf" in plain else {"anyOf": [plain, {"type": "null"}]}

        fields = {name: patched(name, schema) for name, schema in self.properties(kind).items()}
        return {"type": "object", "properties": fields, "additionalProperties": False}

    def _inlined(self, node: Any) -> Any:
        """Return *node* with what `type` aliases stand for (`type Text = …`) in place of references to them."""
        match node:
            case {"$ref": str(ref)} if not self._is_named(name := ref.removeprefix(PREFIX)):
                target = self._shared[name]
                if self._is_named(target.get("title", name)):
                    target = {"$ref": PREFIX + target["title"]}
                return self._inlined(target | {name: value for name, value in node.items() if name != "$ref"})
            case dict():
                # What a type is called is its key; a title would say it again.
                return {name: self._inlined(value) for name, value in node.items() if name != "title" or isinstance(value, dict)}
            case list():
                return [self._inlined(each) for each in node]
        return node

    def _is_named(self, name: str) -> bool:
        """Tell a class, whose title is its name, from an alias."""
        return name in self._shared and self._shared[name].get("title") == name
