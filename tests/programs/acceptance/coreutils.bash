# Programs of coreutils that start others, or themselves in several threads.
set -u
await() { until [ -s "$1" ]; do sleep 0.05; done; }
cut -d" " -f1 lines.txt >numbers

env -i A=1 B=2 env | sort
env -u HOME -C / pwd
env -S 'printf %s\n split' 
timeout 5 true; echo "timeout $?"
timeout 0.3 sleep 30; echo "timeout $?"
timeout -s INT 1 bash -c 'trap "trap : INT; echo caught; kill \$!; exit 3" INT; sleep 30 & wait'; echo "timeout $?"
{ timeout -k 0.5 1 bash -c 'trap "" TERM; while :; do sleep 0.05; done'; echo "timeout $?"; } 2>/dev/null
nohup sh -c 'kill -HUP $$; echo survived' 2>/dev/null </dev/null | cat
nice -n 3 nice
seq 40 | xargs -P 4 -n 3 sh -c 'for n; do echo $((n * n)); done' - | sort -n | tail -n 3
seq 100000 | xargs -n 20000 echo | wc -l
sort --parallel=4 -S 1M -T . -n -r numbers | head -n 3
sort --parallel=4 numbers | cksum
sort -m <(sort -n numbers) -n | cmp - <(sort -n numbers) && echo merged
sort --compress-program=gzip -S 200k -T . numbers | cksum
split -l 3000 --filter='gzip -n >$FILE.gz' numbers part-
ls part-*
gzip -dc part-*.gz | cmp - numbers && echo same
stdbuf -oL echo line
install -m 750 -D numbers deep/er/copy && stat -c '%a %s' deep/er/copy
cp -r deep deeper && rm -r deep && ls -R deeper
seq 3 | tee >(cat >teed) >/dev/null; until [ "$(wc -l <teed)" = 3 ]; do sleep 0.05; done; cat teed
tac numbers | head -n 2
shuf -i 1-1000 --random-source=numbers | head -n 4 | tr '\n' ' '; echo
date -u -d @1700000000 +%FT%T
touch followed
(tail -n +1 -f --pid=$$ -s 0.05 followed & echo $! >tail.pid; wait) >tailed 2>/dev/null &
await tail.pid; echo more >>followed; await tailed; kill "$(cat tail.pid)"; wait; cat tailed
mkfifo line && (timeout 5 dd of=line if=numbers bs=1k count=4 status=none &) && dd if=line bs=100 status=none | wc -c
pathchk -p ok && test -p line && echo fifo
