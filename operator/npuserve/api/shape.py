"""What every part of the resource has in common.

Rule: camelCase on the wire and snake_case here; unknown fields are refused; nothing changes after it was read; an
explicit null means the same as an absent key, as `hardware:` with nothing under it does in YAML.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """One object of the resource. The string under each field is its documentation in `kubectl explain`."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if isinstance(data, dict) and None in data.values():
            return {key: value for key, value in data.items() if value is not None}
        return data

    def to_wire(self) -> dict[str, Any]:
        """Return the object as Kubernetes stores it: camelCase, JSON values only, absent where there is no value."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
