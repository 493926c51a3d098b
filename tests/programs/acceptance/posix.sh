# What POSIX asks of a shell that starts programs; for dash and busybox.
set -u

echo one | cat | tr a-z A-Z
result=$(echo "$(printf '%s-' a b c)")
echo "$result"
(exit 4) || echo "status $?"
trap 'echo exit trap' EXIT
trap 'echo term' TERM
kill -TERM $$
sleep 0.1 &
wait $!
echo "waited $?"
sleep 30 &
victim=$!
kill -9 "$victim"
wait "$victim" 2>/dev/null
echo "killed $?"
cat <<EOF
here $((7 * 6)) $(echo document)
EOF
for n in 1 2 3; do (exit $n) & pids="${pids-} $!"; done
for pid in $pids; do wait "$pid"; echo "child $?"; done
mkfifo "pipe$1"
echo through >"pipe$1" &
read -r word <"pipe$1"
echo "$word"
printf '#!/bin/sh\necho "script $0 $1"\nexit 12\n' >script
chmod +x script
./script argument
echo "script status $?"
printf 'echo "no interpreter line"\n' >bare
chmod +x bare
./bare
PATH=. script found
nothing-of-this-name 2>/dev/null
echo "missing $?"
/etc/passwd 2>/dev/null
echo "not executable $?"
VARIABLE=passed env | grep ^VARIABLE
i=0
while [ $i -lt 40 ]; do i=$(expr $i + 1); done
echo "$i"
ulimit -n 64
echo "limit $(ulimit -n)"
umask 027
(umask)
cd /
echo "$(pwd) $OLDPWD" | sed 's,/[^ ]*/,,'
set -e
false || true
echo end
