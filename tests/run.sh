#!/bin/sh
# Every test, in two halves at once: those of the running service wait more than they compute.
# usage: tests/run.sh PYTHON
python=$1
log=$(mktemp)
"$python" -m pytest tests/serve tests/web >"$log" 2>&1 &
service=$!
trap 'kill "$service"; rm -f "$log"' INT TERM
"$python" -m pytest --ignore=tests/serve --ignore=tests/web
others=$?
echo "==> and those of the running service"
wait "$service"
status=$?
cat "$log"
rm -f "$log"
[ "$others" -eq 0 ] && [ "$status" -eq 0 ]
