# Interpreters that start programs: awk, lua, busybox, bc, sed; and procps.
set -u
gawk 'BEGIN { "echo from a pipe" | getline x; print x; print "c\nb\na" | "sort"; close("sort"); print system("exit 3"); command = "sort -n"; print "10\n9" |& command; close(command, "to"); while ((command |& getline line) > 0) print "coprocess", line; close(command) }'
mawk 'BEGIN { while (("seq 3" | getline n) > 0) print n * n; print "x" | "cat 1>&2" }' 2>&1
gawk 'BEGIN { server = "/inet/tcp/0/127.0.0.1/1"; if ((server |& getline) < 0) print "refused" }' 2>/dev/null
lua5.4 -e 'local p = io.popen("echo popen; exit 3"); print(p:read("a")); print(p:close()); print((os.execute("exit 4")), (os.execute("true")))'
busybox sh -c 'echo one | busybox tr a-z A-Z; (exit 3); echo $?; busybox seq 5 | busybox xargs -n 2 busybox echo; busybox timeout 1 true && echo in time'
busybox sh posix.sh 2 | tail -n 3
printf '2^100\nquit\n' | bc
echo 'echo executed' | sed 's/^/echo sed; /e'
sleep 30 & sleep 30 & 
pgrep -c -P $$
ps -o stat= -p $! | cut -c 1
kill $(jobs -p)
wait
pgrep -c -P $$
free -b | awk '/^Mem/ { print ($2 > 0 ? "memory" : "none") }'
sh -c 'kill -0 $PPID' && echo alive
nproc --ignore=1000
