"""JSON Lines to CSV by the streaming engine of Polars: polars_csv.py IN.jsonl OUT.csv

The number of threads is that of `POLARS_MAX_THREADS`.
"""
import sys
import time

import polars

import report

source, output = sys.argv[1:]
start = time.time()
cats = polars.scan_ndjson(source, schema={"key": polars.Int64, "genus": polars.String, "epithet": polars.String})
cats.with_columns(time=polars.lit(0), diff=polars.lit(1)).sink_csv(output)
print("secs", round(time.time() - start, 4))
report.peak()
