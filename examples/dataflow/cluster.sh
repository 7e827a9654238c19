#!/usr/bin/env bash
# Counts the words of a text in one process, then in two processes on this machine, and compares the outputs.
#
#   examples/dataflow/cluster.sh [TEXT]
#
# THREADS=2 sets the number of threads in each process. PROGRAM=path selects a program that is already built. HOSTS=file names
# a file with the addresses of the two processes; the default is localhost:2101 and localhost:2102.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
text=${1:-$root/README.md}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -r "$work"' EXIT

if [ -z "${PROGRAM:-}" ]; then
    (cd "$root" && cargo build --release -p example-dataflow --bin cluster)
    PROGRAM=${CARGO_TARGET_DIR:-$root/target}/release/cluster
fi
if [ -z "${HOSTS:-}" ]; then
    HOSTS=$work/hosts.txt
    printf 'localhost:2101\nlocalhost:2102\n' >"$HOSTS"
fi

"$PROGRAM" -- "$text" "$work/one.csv"

process() {
    "$PROGRAM" -w "${THREADS:-1}" -n 2 -p "$1" -h "$HOSTS" -- "$text" "$work/two.csv"
}
process 1 &
process 0
wait $!

# The times differ between runs, so they are replaced by ranks.
ranked() {
    awk -F, 'NR > 1 { if ($3 != time) { rank++; time = $3 } print $1 "," $2 "," rank "," $4 }' "$1"
}
if ! diff <(ranked "$work/one.csv") <(ranked "$work/two.csv"); then
    echo 'the outputs of one process and of two processes differ' >&2
    exit 1
fi
echo "the same $(ranked "$work/two.csv" | wc -l) updates from one process and from two"
