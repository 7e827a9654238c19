"""Checks the exports of a schema with the real tools. `main.rs` calls it: check.py WHAT DIRECTORY.

Exits with 77 if a package is missing.
"""

import base64
import copy
import csv
import importlib
import json
import pathlib
import sys

DIRECTORY = pathlib.Path(sys.argv[2])


def need(package):
    try:
        return importlib.import_module(package)
    except ImportError as error:
        print(f"Python has no package `{package}` ({error})")
        sys.exit(77)


def text(name):
    return (DIRECTORY / name).read_text(encoding="utf-8")


def rows():
    return [json.loads(line) for line in text("rows.jsonl").splitlines()]


def jsonschema():
    package = need("jsonschema")
    schema = json.loads(text("schema.json"))
    package.Draft202012Validator.check_schema(schema)
    validator = package.Draft202012Validator(schema, format_checker=package.FormatChecker())
    for row in rows():
        validator.validate(row)

    def refuses(**changes):
        row = copy.deepcopy(rows()[0])
        for name, value in changes.items():
            if value is Ellipsis:
                del row[name]
            else:
                row[name] = value
        assert not validator.is_valid(row), f"{changes} should be refused"

    def takes(**changes):
        row = {**rows()[0], **changes}
        validator.validate({name: value for name, value in row.items() if value is not Ellipsis})

    refuses(key=...)
    refuses(key=None)
    refuses(key="1")
    refuses(key=2**63)
    refuses(tiny=128)
    refuses(byte=-1)
    refuses(qword=2**64)
    refuses(raw="AQI")
    refuses(array=[1])
    refuses(array=[1, 2, 3])
    refuses(pair=["a", "b"])
    refuses(pair=[1, "b", 2])
    refuses(places=[[1.0, 5]])
    refuses(unknown=1)
    refuses(took=1.5)
    refuses(key=1.5)
    takes(key=1.0, tiny=-0.0, qword=1e3)
    refuses(double="x")
    refuses(tiny=...)
    takes(byte=..., text=..., maybe=..., columns=None)
    takes(double="NaN", value=None)
    takes(tiny=..., **{"small/est ~one": 5})
    refuses(tiny=..., **{"small/est ~one": 128})
    takes(time=..., diff=...)
    # The engine adds a row several times, and a source may have such fields, too.
    takes(time="noon", diff=2)
    if "day" in rows()[0]:
        refuses(day="2021-13-01")
        refuses(moment="2021")
    assert schema["title"] == "Everything" and schema["x-primary-key"] == ["key", "select \"all\" it's"]
    assert schema["properties"]["byte"]["examples"] == [255]
    print(f"jsonschema accepted {len(rows())} rows and rejected all invalid ones")


def load(connection, table, header, records):
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in header)
    marks = ", ".join("?" for _ in header)
    for record in records:
        # An empty field is a null, because no string in these rows is empty.
        values = [value if value != "" else None for value in record]
        connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)


def sqlite():
    sqlite3 = need("sqlite3")
    connection = sqlite3.connect(":memory:")
    connection.executescript(text("sqlite.sql"))
    connection.executescript(text("sqlite_updates.sql"))
    with open(DIRECTORY / "rows.csv", encoding="utf-8", newline="") as file:
        header, *records = csv.reader(file)
    table = '"every ""thing"""'
    load(connection, "updates", header, records)
    load(connection, table, header[:-2], [record[:-2] for record in records])

    found = connection.execute(f"SELECT * FROM {table} ORDER BY key")
    names = [column[0] for column in found.description]
    assert names == header[:-2], names
    for mine, row in zip(sorted(rows(), key=lambda row: row["key"]), found.fetchall(), strict=True):
        for name, value in zip(names, row, strict=True):
            expected = mine[name]
            if isinstance(expected, bool):
                expected = str(expected).lower()
            elif name == "wide":
                expected = str(expected)
            elif isinstance(expected, (list, dict)) or name == "value":
                expected, value = expected, json.loads(value if value is not None else "null")
            assert value == expected, f"{name}: found {value!r}, expected {expected!r}"

    keys = {name: key for _, name, _, _, _, key in connection.execute(f"PRAGMA table_info({table})") if key}
    assert keys == {"key": 1, "select \"all\" it's": 2}, keys
    (ddl,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'every \"thing\"'").fetchone()
    assert "-- Two\n    -- lines.\n" in ddl, ddl

    def refuses(column, value):
        try:
            connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
        except sqlite3.IntegrityError:
            return
        raise AssertionError(f"{column} should refuse {value!r}")

    refuses("key", None)
    connection.execute(f"UPDATE {table} SET key = 5")
    refuses('"select ""all"" it\'s"', "x")
    connection.rollback()
    load(connection, table, header[:-2], [record[:-2] for record in records])
    refuses("tiny", 128)
    for column in ("key", "tiny", "short", "int", "byte", "word", "dword", "qword", "took"):
        refuses(column, 1.5)
    refuses("qword", -1)
    refuses("qword", str(2**64 - 1))
    refuses("type", "maybe")
    refuses("list", "[1")
    # Omitted columns get the defaults of the schema.
    required = {name: rows()[0][name] for name in names if name not in ("byte", "single", "text", "raw", "value", "took", "list", "pair")}
    required = {name: json.dumps(value) if isinstance(value, (list, dict)) else value for name, value in required.items()}
    required["key"] = 77
    load(connection, table, list(required), [list(required.values())])
    row = connection.execute(f"SELECT byte, single, text, raw, value, took, list, pair FROM {table} WHERE key = 77").fetchone()
    assert row == (7, 1.5, "it's \\ \"x\"\n", b"\1\2\xff", '{"a":[1,null]}', 1500000001, "[1,2]", '[1,"a"]'), row
    print(f"SQLite {sqlite3.sqlite_version} loaded {len(records)} rows")


def postgres():
    pglast = need("pglast")
    statements = pglast.parse_sql(text("postgres.sql"))
    kinds = [type(statement.stmt).__name__ for statement in statements]
    comments = kinds.count("CommentStmt")
    assert kinds[0] == "CreateStmt" and comments == len(kinds) - 1 == 3, kinds
    assert statements[1].stmt.comment == json.loads(text("description.json"))["description"]
    columns = [element for element in statements[0].stmt.tableElts if type(element).__name__ == "ColumnDef"]
    assert [column.colname for column in columns] == list(rows()[0])[:-2]
    pglast.parse_sql(text("postgres_updates.sql"))
    print(f"PostgreSQL's parser took {len(statements)} statements")


def pathway():
    pw = need("pathway")
    import logging

    logging.disable(logging.CRITICAL)
    from_dict = pw.schema_from_dict(**json.loads(text("pathway.json")))
    names = {"pw": pw}
    exec(text("pathway.py"), names)
    from_class = names["Everything"]
    header = list(rows()[0])[:-2]
    for schema in (from_dict, from_class):
        assert schema.column_names() == header, schema.column_names()
        assert schema.primary_key_columns() == ["key", "select \"all\" it's"]
    assert from_dict.typehints() == from_class.typehints()
    assert from_class.__doc__ == json.loads(text("description.json"))["description"]
    assert from_class.columns()["key"].description == "The key's first half."
    assert from_class.columns()["byte"].example == 255

    for schema in (from_dict, from_class):
        table = pw.io.jsonlines.read(str(DIRECTORY / "rows.jsonl"), schema=schema, mode="static")
        frame = pw.debug.table_to_pandas(table, include_id=False)
        found = sorted(frame.to_dict("records"), key=lambda row: row["key"])
        mine = sorted(rows(), key=lambda row: row["key"])
        assert len(found) == len(mine), found
        for row, expected in zip(found, mine):
            for name in header:
                same(pw, name, row[name], expected[name])

    required = {name: value for name, value in rows()[0].items() if name not in ("byte", "text", "raw", "value", "took", "list", "pair", "wide")}
    (DIRECTORY / "short.jsonl").write_text(json.dumps(required) + "\n", encoding="utf-8")
    table = pw.io.jsonlines.read(str(DIRECTORY / "short.jsonl"), schema=from_class, mode="static")
    (row,) = pw.debug.table_to_pandas(table, include_id=False).to_dict("records")
    assert (row["byte"], row["text"], row["raw"], row["list"], row["pair"]) == (7, "it's \\ \"x\"\n", b"\1\2\xff", (1, 2), (1, "a"))
    assert row["took"].value == 1500000001 and row["value"].value == {"a": [1, None]}
    assert row["wide"].value == 7
    print(f"Pathway {pw.__version__} read {len(mine)} rows by either schema")


def same(pw, name, found, expected):
    """Asserts that Pathway's value equals the written one."""
    if isinstance(found, pw.Json):
        found = found.value
    elif isinstance(found, bytes):
        found = base64.b64encode(found).decode()
    elif hasattr(found, "isoformat") and hasattr(found, "value") and not isinstance(expected, str):
        found = found.value
    elif hasattr(found, "isoformat"):
        import pandas

        found, expected = pandas.Timestamp(found), pandas.Timestamp(expected)
    elif isinstance(found, tuple):
        assert len(found) == len(expected), f"{name}: found {found!r}, expected {expected!r}"
        for inner, wanted in zip(found, expected):
            same(pw, name, inner, wanted)
        return
    if found != found:
        found = None
    assert found == expected and type(found) is not str or found == expected, f"{name}: found {found!r}, expected {expected!r}"


# Types that all three readers have.
PARQUET_TYPES = {
    "key": "int64",
    "tiny": "int8",
    "short": "int16",
    "int": "int32",
    "byte": "uint8",
    "word": "uint16",
    "dword": "uint32",
    "qword": "uint64",
    "type": "bool",
    "single": "float",
    "double": "double",
    "day": "date32[day]",
    "hour": "time64[ns]",
    "moment": "timestamp[ns]",
    "time": "int64",
    "diff": "int64",
}


def nanoseconds(text):
    """Of a time of day, or since 1970-01-01; the data has no more than microseconds."""
    import datetime

    if "T" not in text:
        time = datetime.time.fromisoformat(text)
        return ((time.hour * 60 + time.minute) * 60 + time.second) * 10**9 + time.microsecond * 1000
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    epoch = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
    return (moment - epoch) // datetime.timedelta(microseconds=1) * 1000


def equal(name, found, expected):
    """A value of a Parquet file, and the one of JSON Lines."""
    import struct
    import uuid

    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        assert len(found) == len(expected), f"{name}: {found!r}, and not {expected!r}"
        for inner, wanted in zip(found, expected):
            equal(name, inner, wanted)
        return
    if isinstance(found, int) and isinstance(expected, str):
        expected = nanoseconds(expected)
    elif isinstance(found, bytes) and len(found) == 16 and "-" in expected:
        found = str(uuid.UUID(bytes=found))
    elif isinstance(found, bytes):
        found = base64.b64encode(found).decode()
    elif hasattr(found, "isoformat"):
        found = found.isoformat()
    elif isinstance(found, uuid.UUID):
        found = str(found)
    elif name == "single":
        expected = struct.unpack("f", struct.pack("f", expected))[0]
    elif name == "value":
        found = json.loads(found)
    elif name == "wide":
        expected = str(expected)
    assert found == expected and type(found) is type(expected), f"{name}: {found!r}, and not {expected!r}"


def holds(table):
    """Holds what a reader has made of the parts, as an Arrow table, to the rows."""
    pa = need("pyarrow")
    for name, wanted in PARQUET_TYPES.items():
        if name in table.column_names:
            found = str(table.schema.field(name).type)
            assert found == wanted, f"{name} is {found}, and not {wanted}"
    columns = {}
    for name, column in zip(table.column_names, table.columns):
        kind = column.type
        if isinstance(kind, pa.BaseExtensionType):
            column = column.cast(kind.storage_type)
        elif pa.types.is_timestamp(kind) or pa.types.is_duration(kind) or pa.types.is_time(kind):
            column = column.cast(pa.int64())
        columns[name] = column.to_pylist()
    expected = sorted(rows(), key=lambda row: row["key"])
    places = sorted(range(len(columns["key"])), key=lambda place: columns["key"][place])
    assert len(places) == len(expected) == 2, f"{len(places)} rows, and not {len(expected)}"
    for place, row in zip(places, expected):
        assert set(columns) == set(row), set(columns) ^ set(row)
        for name, wanted in row.items():
            equal(name, columns[name][place], wanted)


def pyarrow():
    dataset = need("pyarrow.dataset")
    holds(dataset.dataset(DIRECTORY / "parts", format="parquet").to_table())


def polars():
    package = need("polars")
    need("pyarrow")
    holds(package.read_parquet(DIRECTORY / "parts" / "*.parquet").to_arrow())


def duckdb():
    package = need("duckdb")
    need("pyarrow")
    parts = DIRECTORY / "parts" / "*.parquet"
    described = package.sql(f"SELECT * FROM '{parts}'")
    types = dict(zip(described.columns, map(str, described.types)))
    for name, wanted in {"id": "UUID", "value": "JSON", "price": "VARCHAR"}.items():
        assert types.get(name, wanted) == wanted, f"{name} is {types[name]}, and not {wanted}"
    table = described.arrow()
    holds(table.read_all() if hasattr(table, "read_all") else table)


CHECKS = [jsonschema, sqlite, postgres, pathway, pyarrow, polars, duckdb]
{check.__name__: check for check in CHECKS}[sys.argv[1]]()
