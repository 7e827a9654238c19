"""JSON Lines to CSV or Parquet by DuckDB: duckdb_copy.py IN.jsonl OUT csv|parquet THREADS"""
import sys
import time

import duckdb

import report

source, output, form, threads = sys.argv[1:]
database = duckdb.connect()
database.execute(f"SET threads = {int(threads)}")
start = time.time()
columns = "{key: 'BIGINT', genus: 'VARCHAR', epithet: 'VARCHAR'}"
updates = ", 0 AS time, 1 AS diff" if form == "csv" else ""
database.execute(
    f"COPY (SELECT *{updates} FROM read_json('{source}', format = 'newline_delimited', columns = {columns})) "
    f"TO '{output}' (FORMAT {form})"
)
print("secs", round(time.time() - start, 4))
report.peak()
