"""JSON Lines to CSV with Pathway's persistence: pathway_durable.py IN.jsonl OUT.csv ROWS-A-COMMIT subject|native [SNAPSHOT-MS]

Without an interval nothing is persisted. The subject commits by itself. Pathway has no public API for its offsets, so the
rows that it has sent are persisted.
"""
import json
import os
import shutil
import sys
import tempfile
import time

import report

os.environ.setdefault("PATHWAY_MONITORING_SERVER", "")
import pathway as pw  # noqa: E402

source, output, every, mode, *interval = sys.argv[1:]
every = int(every)


class Cats(pw.io.python.ConnectorSubject):
    def run(self):
        with open(source) as lines:
            for n, line in enumerate(lines, 1):
                self.next(**json.loads(line))
                if n % every == 0:
                    self.commit()


class Cat(pw.Schema):
    key: int
    genus: str
    epithet: str


if mode == "native":
    cats = pw.io.jsonlines.read(source, schema=Cat, mode="static", name="cats")
else:
    cats = pw.io.python.read(Cats(), schema=Cat, autocommit_duration_ms=None, name="cats")
pw.io.csv.write(cats, output)
# The state is on the same disk as the output.
state = tempfile.mkdtemp(dir=os.path.dirname(output))
config = None
if interval:
    backend = pw.persistence.Backend.filesystem(state)
    config = pw.persistence.Config(backend, snapshot_interval_ms=int(interval[0]))
start = time.time()
pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=config)
print("secs", round(time.time() - start, 4), flush=True)
report.peak()
shutil.rmtree(state)
