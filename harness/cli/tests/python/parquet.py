"""Compares Parquet files with the CSV files that they were made of, cell by cell: parquet.py RUN EXPORT."""

import csv
import datetime
import json
import sys

import pyarrow.parquet

run, export = sys.argv[1:]
package = json.load(open(f"{run}/datapackage.json", encoding="utf-8"))
types = {"string": "string", "integer": "int64", "number": "double", "boolean": "bool", "datetime": "timestamp[ms, tz=UTC]"}


def read(form, cell):
    if cell == "":
        return None
    if form == "datetime":
        return datetime.datetime.strptime(cell, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    return {"string": str, "integer": int, "number": float, "boolean": {"true": True, "false": False}.__getitem__}[form](cell)


cells = 0
for resource in package["resources"]:
    fields = resource["schema"]["fields"]
    table = pyarrow.parquet.read_table(f"{export}/{resource['name']}.parquet")
    assert table.column_names == [field["name"] for field in fields], resource["name"]
    assert [str(column.type) for column in table.columns] == [types[field["type"]] for field in fields], table.schema
    assert table.schema.metadata[b"lacuna.source_hash"].decode() == resource["hash"]
    with open(f"{run}/{resource['path']}", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    columns = [column.to_pylist() for column in table.columns]
    assert table.num_rows == len(rows), resource["name"]
    for number, row in enumerate(rows):
        for field, column, cell in zip(fields, columns, row, strict=True):
            assert column[number] == read(field["type"], cell), (resource["name"], number, field["name"], cell)
            cells += 1
print(len(package["resources"]), "tables,", cells, "cells")
