"""The job on bytewax: bytewax_cats.py IN.jsonl OUT.csv"""
import csv
import itertools
import json
import sys
import time

import report

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

source, output = sys.argv[1:3]


class Lines(StatelessSourcePartition):
    def __init__(self):
        self.lines = open(source)

    def next_batch(self):
        batch = [json.loads(line) for line in itertools.islice(self.lines, 1024)]
        if not batch:
            raise StopIteration()
        return batch


class Source(DynamicSource):
    def build(self, step_id, worker_index, worker_count):
        return Lines()


class Rows(StatelessSinkPartition):
    def __init__(self):
        self.file = open(output, "w")
        self.writer = csv.writer(self.file)

    def write_batch(self, cats):
        self.writer.writerows((cat["key"], cat["genus"], cat["epithet"], 0, 1) for cat in cats)

    def close(self):
        self.file.close()


class Sink(DynamicSink):
    def build(self, step_id, worker_index, worker_count):
        return Rows()


flow = Dataflow("cats")
op.output("out", op.input("in", flow, Source()), Sink())
start = time.time()
run_main(flow)
print("secs", round(time.time() - start, 4))
report.peak()
