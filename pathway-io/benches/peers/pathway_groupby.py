"""Cats counted by genus on Pathway: pathway_groupby.py IN.jsonl OUT.csv subject|native"""
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


if mode == "native":
    cats = pw.io.jsonlines.read(source, schema=Cat, mode="static")
else:
    cats = pw.io.python.read(Cats(), schema=Cat, autocommit_duration_ms=1000)
counts = cats.groupby(pw.this.genus).reduce(pw.this.genus, n=pw.reducers.count())
pw.io.csv.write(counts, output)
start = time.time()
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
print("secs", round(time.time() - start, 4), flush=True)
report.peak()
