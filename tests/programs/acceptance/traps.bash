# Traps: EXIT, ERR, RETURN, DEBUG, signals sent by kill, and how children inherit them.
set -u
# The shell names children that a signal ended, with their numbers.
exec 2>/dev/null

bash -c 'trap "echo exit trap \$?" EXIT; exit 3'
echo "status $?"
bash -c 'trap "echo cleaned" EXIT; kill -TERM $$; echo not reached' 
echo "status $?"
bash -c 'trap "echo int; exit 4" INT; kill -INT $$; echo not reached'
echo "status $?"
bash -E -c 'trap "echo error in line \$LINENO" ERR; f() { false; }; f; true'

trap 'echo usr1' USR1
trap 'echo usr2' USR2
kill -USR1 $$
kill -USR2 $$
(kill -USR1 $$)
trap '' USR1
bash -c 'kill -USR1 $$; echo "ignored is inherited"'
trap - USR1
bash -c 'kill -USR1 $$; echo not reached'
echo "default again $?"

# A signal interrupts wait; a trap runs between two commands.
trap 'echo alarm' ALRM
sleep 30 &
sleeper=$!
(sleep 0.2; kill -ALRM $$) &
wait "$sleeper"
echo "wait was interrupted: $?"
kill "$sleeper"
wait "$sleeper"
echo "sleeper $?"

# One signal to a whole group.
set -m
bash -c 'trap "echo group; exit 9" HUP; sleep 30 & echo >ready; wait' &
group=$!
until [ -s ready ]; do sleep 0.05; done
kill -HUP -- "-$group"
wait "$group"
echo "group $?"
set +m

traced() { trap 'echo return' RETURN; echo body; trap - RETURN; return 0; }
traced
trap 'echo "debug: $BASH_COMMAND"' DEBUG
true one
trap - DEBUG
for signal in HUP INT QUIT KILL SEGV PIPE TERM; do
    bash -c "ulimit -c 0; kill -$signal \$\$" 2>/dev/null
    echo "$signal $? $(kill -l $?)"
done
yes | head -n 1
echo "yes ended by ${PIPESTATUS[0]}"
trap 'echo bye' EXIT
