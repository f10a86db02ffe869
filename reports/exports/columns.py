"""The rows as a table: the same columns as the store, with types that follow from those of `Row`."""

from __future__ import annotations

import csv
import io
import json
import types
import typing
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from lceval.rows import Row, Run

if TYPE_CHECKING:
    import pyarrow as pa

    from lceval.reports.exports.write import Files


def parquet(run: Run) -> Files:
    """One Parquet file; lists are lists, `details` is a map, `params` is JSON; its metadata hold `run.json` under `lceval.run`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([_record(row) for row in run.rows], schema=schema())
    table = table.replace_schema_metadata({"lceval.run": run.info.model_dump_json()})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return {"": sink.getvalue()}


def schema() -> pa.Schema:
    """The columns of `Row` as Arrow has them; what cannot be None in a row cannot be null in a column."""
    import pyarrow as pa

    fields = {name: typing.cast(Any, field.annotation) for name, field in Row.model_fields.items()}
    return pa.schema([pa.field(name, _arrow(kind), nullable=type(None) in get_args(kind)) for name, kind in fields.items()])


def _arrow(annotation: Any) -> pa.DataType:
    import pyarrow as pa

    plain = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    if annotation in plain:
        return plain[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return pa.string()
    if origin in (Union, types.UnionType):
        (known,) = (kind for kind in inner if kind is not type(None))
        return _arrow(known)
    if origin in (list, tuple):
        return pa.list_(_arrow(inner[0]))
    assert origin is dict, annotation
    return pa.string() if inner[1] is Any else pa.map_(pa.string(), _arrow(inner[1]))


def _record(row: Row) -> dict[str, Any]:
    record = row.model_dump()
    return record | {"params": _json(record["params"]), "details": list(record["details"].items())}


def csv_rows(run: Run) -> Files:
    """One CSV file (UTF-8, a header); lists and objects are JSON, None is an empty field, truth is `true` and `false`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row.model_fields)
    for row in run.rows:
        values = row.model_dump().values()
        writer.writerow([_json(value) if isinstance(value, list | tuple | dict | bool) else value for value in values])
    return {"": text.getvalue().encode()}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
