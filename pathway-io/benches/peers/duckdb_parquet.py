"""JSON Lines to Parquet by DuckDB: duckdb_parquet.py IN.jsonl OUT.parquet THREADS"""
import sys
import time

import duckdb

import report

source, output, threads = sys.argv[1:]
database = duckdb.connect()
database.execute(f"SET threads = {int(threads)}")
start = time.time()
columns = "{key: 'BIGINT', genus: 'VARCHAR', epithet: 'VARCHAR'}"
database.execute(
    f"COPY (SELECT * FROM read_json('{source}', format = 'newline_delimited', columns = {columns})) "
    f"TO '{output}' (FORMAT parquet)"
)
print("secs", round(time.time() - start, 4))
report.peak()
