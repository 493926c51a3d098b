# Associative arrays, regular expressions, printf, user functions, string functions; for any awk.
function factorial(n) { return n <= 1 ? 1 : n * factorial(n - 1) }
{
    count[$2]++
    sum[$2] += $1 * $3
    if ($2 ~ /^(al|be)/) matched++
    if (match($0, /[0-9]+\.[0-9]/)) position += RSTART
    gsub(/a/, "A")
    length_sum += length($0)
}
END {
    split("alpha beta gamma delta epsilon zeta eta theta", names, " ")
    for (i = 1; i <= 8; i++) printf "%-8s %5d %14.3f\n", names[i], count[names[i]], sum[names[i]]
    print NR, matched, position, length_sum
    print factorial(20), substr("substring", 4, 3), index("haystack", "st"), toupper("upper"), int(-3.7), 2 ^ 10
    printf "%c %5.2f %e %x %o %s\n", 65, 3.14159, 12345.678, 255, 8, sprintf("%03d", 7)
    print sin(1), cos(1), exp(1), log(10), sqrt(2), atan2(1, 2)
}
