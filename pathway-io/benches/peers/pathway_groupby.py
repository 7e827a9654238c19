"""Counts cats by genus in Pathway: `next` to groupby count to CSV. Prints the seconds of the run.

    pathway_groupby.py ROWS OUT.csv
"""
import os
import sys
import time

os.environ.setdefault("PATHWAY_MONITORING_SERVER", "")
import pathway as pw

ROWS, OUTPUT = int(sys.argv[1]), sys.argv[2]
GENERA = ["felis", "lynx", "otocolobus", "panthera", "puma", "caracal", "leopardus"]


class Cat(pw.Schema):
    key: int
    genus: str
    epithet: str


class Cats(pw.io.python.ConnectorSubject):
    def run(self):
        for n in range(ROWS):
            self.next(key=n, genus=GENERA[n % 7], epithet=f"e{n % 1000}")


cats = pw.io.python.read(Cats(), schema=Cat)
counts = cats.groupby(cats.genus).reduce(cats.genus, n=pw.reducers.count())
pw.io.csv.write(counts, OUTPUT)
start = time.time()
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
print("secs", time.time() - start)
