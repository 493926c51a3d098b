# What a shell does without starting other processes: variables, arithmetic, loops, functions, case, here documents.
fib() {
    a=0 b=1 i=0
    while [ "$i" -lt "$1" ]; do
        c=$((a + b)) a=$b b=$c i=$((i + 1))
    done
    echo "fib $1 = $a"
}
fib 10
fib 80
for word in alpha beta "two words" gamma*; do
    case $word in
    a*) echo "a: ${word#al}" ;;
    *' '*) echo "space: ${#word}" ;;
    *) echo "other: ${word%a}" ;;
    esac
done
sum=0 n=0
while [ $n -lt 3000 ]; do n=$((n + 1)) sum=$(((sum * 31 + n) % 1000003)); done
echo "sum $sum"
while read -r number word rest; do
    [ "$number" -gt 2000 ] && echo "$number $word ($rest)"
done <lines.txt >filtered.txt
read -r first <filtered.txt
echo "first: $first"
printf '%05d|%-6s|%x|%s\n' 42 left 255 "$((1 << 40))"
set -- one two three
shift
echo "$# $1 $*" "${unset:-default}" "${PWD##*/}"
trap 'echo leaving' EXIT
exit 7
