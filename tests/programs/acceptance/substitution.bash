# Process substitution through /dev/fd.
set -u

diff <(seq 1 5) <(seq 2 6)
echo "diff $?"
paste -d, <(seq 3) <(seq 4 6) <(printf '%s\n' a b c)
comm -12 <(printf '%s\n' a b c d) <(printf '%s\n' b d e)
seq 10 | tee >(tail -n 1 >last) >(wc -l >count) >/dev/null
until [ -s last ] && [ -s count ]; do sleep 0.05; done
cat last count
while IFS=: read -r user _ id _; do echo "$user $id"; done < <(printf 'root:x:0:\nnobody:x:65534:\n')
mapfile -t lines < <(seq 5)
echo "${#lines[@]} ${lines[4]}"
cat /dev/fd/0 <<<"by descriptor"
echo out >/dev/fd/1
exec 7< <(echo kept)
read -r word <&7
echo "$word"
echo <(true) | sed 's/[0-9]*$/N/'
. <(echo 'sourced() { echo "sourced function"; }')
sourced
