"""What all settings have in common: frozen, no unknown key, camelCase in the stack files."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True,
                              allow_inf_nan=False)

    repeats: ClassVar[frozenset[str]] = frozenset()  # fields whose lists may say the same twice, as a command's words

    @field_validator("*", mode="before")
    @classmethod
    def _nothing_twice(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, list) and info.field_name not in cls.repeats:
            twice = next((item for index, item in enumerate(value) if item in value[:index]), None)
            if twice is not None:
                raise PydanticCustomError("twice", "each value once")
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _no_flag_is_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """pydantic takes true for 1; nobody who writes it means that."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation in (int, float):
            raise PydanticCustomError("flag_as_number", "a number")
        return value
