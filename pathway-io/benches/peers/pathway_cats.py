"""The job on Pathway: pathway_cats.py IN.jsonl OUT.csv plain|keyed|upsert|native"""
import json
import os
import sys
import time

import report

os.environ.setdefault("PATHWAY_MONITORING_SERVER", "")
import pathway as pw  # noqa: E402

source, output, mode = sys.argv[1:4]


class Cats(pw.io.python.ConnectorSubject):
    def run(self):
        with open(source) as lines:
            for line in lines:
                self.next(**json.loads(line))


class Cat(pw.Schema):
    key: int
    genus: str
    epithet: str


class KeyedCat(pw.Schema):
    key: int = pw.column_definition(primary_key=True)
    genus: str
    epithet: str


class UpsertedCats(Cats):
    @property
    def _session_type(self):
        from pathway.internals.api import SessionType
        return SessionType.UPSERT


if mode == "native":
    table = pw.io.jsonlines.read(source, schema=Cat, mode="static")
else:
    subject = UpsertedCats() if mode == "upsert" else Cats()
    schema = Cat if mode == "plain" else KeyedCat
    table = pw.io.python.read(subject, schema=schema, autocommit_duration_ms=1000)
pw.io.csv.write(table, output)
start = time.time()
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
print("secs", round(time.time() - start, 4), flush=True)
report.peak()
