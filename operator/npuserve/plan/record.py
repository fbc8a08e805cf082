"""A plan as text and back: what is kept beside a running service, so that later passes repeat the plan instead of
making it anew."""

from __future__ import annotations

from functools import lru_cache

from pydantic import TypeAdapter, ValidationError

from npuserve.plan.plan import Record

_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record)


def dump(record: Record) -> str:
    """The record as one line of JSON."""
    return _ADAPTER.dump_json(record).decode()


@lru_cache(maxsize=256)
def load(text: str) -> Record | None:
    """The record in `text`; None when it is none of ours."""
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError:
        return None
