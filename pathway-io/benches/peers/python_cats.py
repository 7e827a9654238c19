"""The job in a plain loop: python_cats.py IN.jsonl OUT.csv"""
import csv
import json
import sys
import time

import report

start = time.time()
with open(sys.argv[1]) as lines, open(sys.argv[2], "w") as output:
    writer = csv.writer(output)
    writer.writerow(["key", "genus", "epithet", "time", "diff"])
    for line in lines:
        cat = json.loads(line)
        writer.writerow((cat["key"], cat["genus"], cat["epithet"], 0, 1))
print("secs", round(time.time() - start, 4))
report.peak()
