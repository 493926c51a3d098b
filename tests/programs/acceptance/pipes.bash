# Pipes, subshells, command substitution, here-documents and arithmetic.
set -u -o pipefail

seq 1 2000 | grep 7 | sort -rn | head -n 3
echo "status ${PIPESTATUS[*]}"
seq 1 100000 | while read -r n; do if ((n == 5)); then break; fi; done
echo "$(seq 5 | tr '\n' ' ')$(echo "$(echo "$(echo deep)")")"

x=outer
(x=inner; cd /; echo "$x $PWD")
echo "$x"
(exit 7) || echo "subshell $?"
{ (kill -TERM $BASHPID) || echo "signal $?"; } 2>/dev/null
false | true | (exit 3) | true || echo "pipefail $?"

cat <<EOF | sed 's/^/> /'
sum $((6 * 7)), $(echo substituted), ${x^^}
EOF
cat <<'EOF'
literal $((6 * 7))
EOF
tr a-z A-Z <<<"here string"

i=0
while read -r name value; do
    ((i += value))
    echo "$name=$value total $i"
done < <(printf '%s\n' 'a 1' 'b 20' 'c 300')

# Thirty processes in one pipe.
line='cat'
for _ in {1..29}; do line+=' | cat'; done
seq 1 5000 | eval "$line" | cksum

# Data larger than the pipe, both ends slow in turn.
head -c 300000 /dev/zero | (sleep 0.1; tr '\0' x) | wc -c
coproc DOUBLE { while read -r n; do echo $((n * 2)); done; }
# The descriptors go when the coprocess ends.
pid=$DOUBLE_PID
for n in 1 21 300; do
    echo "$n" >&"${DOUBLE[1]}"
    read -r answer <&"${DOUBLE[0]}"
    echo "coprocess $n $answer"
done
eval "exec ${DOUBLE[1]}>&-"
wait "$pid"
echo "coprocess ended $?"

factorial() { if (($1 < 2)); then echo 1; else echo $(($1 * $(factorial $(($1 - 1))))); fi; }
factorial 12
exec 5>log 6<lines.txt
read -r first <&6
echo "$first" >&5
exec 5>&- 6<&-
echo "log: $(<log)"
exec -a renamed bash -c 'echo "$0 $((2 ** 10))"'
