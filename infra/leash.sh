# sh leash.sh GRACE COMMAND…: runs COMMAND until it ends or standard input, a pipe held by leash.ts, closes;
# then SIGTERM, and SIGKILL after GRACE seconds. Exits with COMMAND's code.
grace=$1
shift
exec 3<&0 </dev/null # 3 is the pipe; COMMAND must not hold it
"$@" 3<&- &
child=$!
(
  read -r line <&3 # nothing is ever written: this waits for the end
  kill -TERM "$child"
  while [ "$grace" -gt 0 ] && kill -0 "$child"; do
    sleep 1
    grace=$((grace - 1))
  done
  kill -KILL "$child"
) >/dev/null 2>&1 &
watcher=$!
wait "$child"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
