"""How our Structs stand in the OpenAPI document."""

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from litestar.openapi.spec import Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.types import Empty
from litestar.typing import FieldDefinition

if TYPE_CHECKING:
    from litestar._openapi.schema_generation import SchemaCreator


class DocumentedStructs(OpenAPISchemaPlugin):
    """Structs by their fields.

    Litestar's own fails at a default that cannot be hashed, such as a Struct that holds lists.
    """

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        """Every Struct."""
        return not field_definition.is_union and field_definition.is_subclass_of(msgspec.Struct)

    def to_openapi_schema(
        self, field_definition: FieldDefinition, schema_creator: "SchemaCreator"
    ) -> Schema:
        """The fields with their types; a tag is a required constant."""
        struct: type[msgspec.Struct] = field_definition.annotation
        hints = field_definition.get_type_hints(include_extras=True, resolve_generics=True)
        fields = msgspec.structs.fields(struct)
        properties = {
            field.encode_name: FieldDefinition.from_annotation(
                _number(hints[field.name]), name=field.encode_name, default=_default(field)
            )
            for field in fields
        }
        required = [field.encode_name for field in fields if field.required]
        config = struct.__struct_config__
        if config.tag_field is not None:
            properties[config.tag_field] = FieldDefinition.from_annotation(Literal[config.tag])
            required.append(config.tag_field)
        return schema_creator.create_component_schema(
            field_definition, required=sorted(required), property_fields=properties
        )


def _number(hint: Any) -> Any:
    """JSON Schema's `number` has the integers: as one of two, an integer would be both."""
    return float if hint == int | float else hint


def _default(field: msgspec.structs.FieldInfo) -> Any:
    """The default where JSON has a word for it."""
    return field.default if isinstance(field.default, (bool, int, float, str)) else Empty
