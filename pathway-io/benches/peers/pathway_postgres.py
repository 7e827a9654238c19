"""Rows per second into PostgreSQL by Pathway: a snapshot by primary key, and the stream of changes.

pathway_postgres.py HOST PORT ROWS
"""
import json
import sys
import tempfile
import time

import pathway as pw

host, port, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
epithets = ["catus", "lynx", "pardus", "silvestris", "onca"]
settings = {"host": host, "port": str(port), "user": "postgres", "dbname": "postgres", "password": "x"}


class Cat(pw.Schema):
    key: int = pw.column_definition(primary_key=True)
    genus: str
    epithet: str


with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
    for n in range(rows):
        file.write(json.dumps({"key": n, "genus": f"genus {n % 1000}", "epithet": epithets[n % 5]}) + "\n")
    file.flush()
    for kind in ["snapshot", "stream_of_changes"]:
        pw.internals.parse_graph.G.clear()
        cats = pw.io.jsonlines.read(file.name, schema=Cat, mode="static")
        options = {"primary_key": [cats.key]} if kind == "snapshot" else {}
        pw.io.postgres.write(
            cats, settings, f"pathway_{kind}", output_table_type=kind, init_mode="replace", **options
        )
        start = time.monotonic()
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
        print(f"pathway {pw.__version__} {kind}: {rows / (time.monotonic() - start):.0f} rows/s", flush=True)
