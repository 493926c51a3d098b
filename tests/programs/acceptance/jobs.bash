# Background jobs: wait, wait -n, wait -p, jobs, stop and continue, disown.
set -u

for n in 3 1 2; do (sleep 0.$((n * 3)); exit "$n") & done
for _ in 1 2 3; do wait -n; echo "first to end: $?"; done
wait -n
echo "none left: $?"

sleep 0.1 & one=$!
(exit 5) & two=$!
wait "$two"; echo "two $?"
wait "$one"; echo "one $?"
wait "$two"; echo "two again $?"
(exit 6) &
wait -n -p which
echo "$? $([ "$which" = $! ] && echo same)"

# A pool of three workers.
pool() { for n in {1..12}; do while (($(jobs -rp | wc -l) >= 3)); do wait -n; done; (sleep 0.05; echo "$n" >>pool) & done; wait; }
pool
sort -n pool | tr '\n' ' '
echo

set -m
sleep 30 &
kill -STOP %%
wait %% 2>/dev/null
echo "stopped $?"
jobs | tr -s ' ' | tr -d '[0-9]'
kill -CONT %%
sleep 0.2
jobs | tr -s ' ' | tr -d '[0-9]'
kill %%
wait $! 2>/dev/null
echo "killed $?"
set +m

mkfifo queue
(for word in first second third; do echo "$word"; done >queue) &
cat queue
wait
(sleep 30) &
disown $!
kill $!
jobs -rp | wc -l
bash -c 'sleep 0.2; echo orphan done >orphan' &
wait
cat orphan
( (sleep 0.3; echo "grandchild" >>late) & )
until [ -s late ]; do sleep 0.05; done
cat late
timeout 0.2 sleep 30
echo "timeout $?"
