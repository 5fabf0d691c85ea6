"""Values in the form that Postgres reads: JSON documents, and rows in the binary format of COPY.

NUL and lone surrogates, which Postgres cannot store, are removed.
"""

from __future__ import annotations

import datetime as dt
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ColumnDefault, DateTime, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.types import TypeEngine


def cleaned(words: str) -> str:
    """The text without characters that Postgres cannot store."""
    return cleaned_bytes(words).decode()


def cleaned_bytes(words: str) -> bytes:
    """The same in UTF-8."""
    return words.encode("utf-8", "ignore").replace(b"\0", b"")


def json_of(value: Any) -> str:
    """A JSON document that a statement unpacks: many values in one parameter, at a tenth of an array's cost."""
    written = _encode(value)
    return _encode(_cleaned_json(value)) if "\\u0000" in written or "\\ud" in written else written


def of_json(document: str | bytes) -> Any:
    """The value of a JSON document from Postgres. All are UTF-8, and detecting that would take longer than parsing."""
    value, _ = _scan(document if isinstance(document, str) else str(document, "utf-8"))
    return value


def copied(table: Table, rows: Sequence[Mapping[str, Any]]) -> tuple[str, bytes]:
    """The COPY statement for rows with the same columns, and the data to send with it. Columns that are not in the rows
    get their default. Raises ValueError for a number that its column cannot store.

    The data is in the binary format, because in the text format Postgres searches each text for escapes."""
    named = [table.columns[name] for name in rows[0]]
    others = [c for c in table.columns if isinstance(c.default, ColumnDefault) and c.name not in rows[0]]
    columns = ", ".join(f'"{column.name}"' for column in (*named, *others))
    spell = [(column.name, _spelling(column)) for column in named]
    begin = _COUNT.pack(len(named) + len(others))
    ends = [_spelling(column)(_default(column)) for column in others]
    pieces = [_HEADER]
    try:
        for row in rows:
            pieces.append(begin)
            pieces += [spelt(row[name]) for name, spelt in spell]
            pieces += ends
    except struct.error as error:
        raise ValueError(f"A number is too large for {table.name}.") from error
    return f'COPY "{table.name}" ({columns}) FROM STDIN (FORMAT binary)', b"".join([*pieces, _END])


def _default(column: Column[Any]) -> Any:
    assert isinstance(column.default, ColumnDefault)
    return column.default.arg(None) if column.default.is_callable else column.default.arg


def _spelling(column: Column[Any]) -> Callable[[Any], bytes]:
    """The binary form of values of this column: their length, then their bytes (the `_recv` functions of Postgres)."""
    return next(spelt for type_, spelt in _SPELLINGS.items() if isinstance(column.type, type_))


def _text(value: str | None) -> bytes:
    return _NULL if value is None else _bytes(cleaned_bytes(value))


def _bytes(value: bytes | None) -> bytes:
    return _NULL if value is None else _LENGTH.pack(len(value)) + value


def _integer(value: int | None) -> bytes:
    return _NULL if value is None else _INTEGER.pack(4, value)


def _long_integer(value: int | None) -> bytes:
    return _NULL if value is None else _LONG_INTEGER.pack(8, value)


def _boolean(value: bool | None) -> bytes:
    return _NULL if value is None else _TRUE if value else _FALSE


def _time(value: dt.datetime | None) -> bytes:
    return _NULL if value is None else _LONG_INTEGER.pack(8, (value - _BEGINNING) // _MICROSECOND)


def _array(values: Sequence[str] | None) -> bytes:
    """Dimensions, whether it has NULL, the type of the elements; then the number of elements and the lowest index."""
    if values is None:
        return _NULL
    elements = b"".join(map(_text, values))
    return _bytes((_ARRAY.pack(1, 0, _TEXT_TYPE, len(values), 1) if values else _EMPTY_ARRAY) + elements)


def _json(value: Any) -> bytes:
    """A version number comes before the document."""
    if not value and isinstance(value, list | tuple):
        return _EMPTY_LIST
    return _NULL if value is None else _bytes(b"\1" + json_of(value).encode())


_HEADER, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_COUNT, _LENGTH, _INTEGER, _LONG_INTEGER, _ARRAY = map(struct.Struct, ("!h", "!i", "!ii", "!iq", "!iiiii"))
_NULL, _TRUE, _FALSE = _LENGTH.pack(-1), b"\0\0\0\1\1", b"\0\0\0\1\0"
_TEXT_TYPE = 25  # in pg_type
_EMPTY_ARRAY, _EMPTY_LIST = struct.pack("!iii", 0, 0, _TEXT_TYPE), _bytes(b"\1[]")
_BEGINNING, _MICROSECOND = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.timedelta(microseconds=1)
#: The first base type of a column's type counts.
_SPELLINGS: Mapping[type[TypeEngine[Any]], Callable[[Any], bytes]] = {
    BigInteger: _long_integer,
    Integer: _integer,
    Text: _text,
    Boolean: _boolean,
    DateTime: _time,
    LargeBinary: _bytes,
    TSVECTOR: _bytes,
    ARRAY: _array,
    JSONB: _json,
}


def _as_text(value: object) -> str:
    """Times and bytes inside JSON documents, in the format of Postgres."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"{type(value).__name__} cannot be written to the database.")


_encode = json.JSONEncoder(default=_as_text).encode
_scan = json.JSONDecoder().raw_decode


def _cleaned_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {_cleaned_json(key): _cleaned_json(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned_json(held) for held in value]
    return cleaned(value) if isinstance(value, str) else value
