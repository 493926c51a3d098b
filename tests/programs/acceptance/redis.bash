# redis-server with redis-cli and redis-benchmark, all of them guests, over loopback.
set -u
# A port that is free: the kernel's own choice for somebody who listens on none.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly yes --io-threads 2 --daemonize no --dir . >server.log 2>&1 &
server=$!
cli() { redis-cli -p "$port" "$@"; }
for _ in {1..300}; do [ "$(cli ping 2>/dev/null)" = PONG ] && break; sleep 0.05; done
cli ping
cli set key "a value"
cli get key
cli append key ", longer"
cli strlen key
for n in 1 2 3; do cli incrby counter "$n"; done
cli rpush list a b c d
cli lrange list 0 -1
cli hset hash one 1 two 2 >/dev/null; cli hgetall hash
cli zadd sorted 3 c 1 a 2 b; cli zrange sorted 0 -1 withscores
printf 'multi\nset a 1\nincr a\nexec\n' | cli
cli eval 'local sum = 0; for i = 1, tonumber(ARGV[1]) do sum = sum + i end; return {sum, redis.call("get", KEYS[1])}' 1 key 1000
seq 1 5000 | sed 's/.*/SET bulk:& value&/' | cli --pipe | tail -n 1
cli get bulk:4321
cli dbsize
(for n in {1..5}; do cli --no-raw get bulk:$n; done) | tr '\n' ' '; echo
timeout 5 redis-cli -p "$port" subscribe news >heard & 
for _ in {1..100}; do [ "$(cli publish news hello)" = 1 ] && break; sleep 0.05; done
sleep 0.2; kill $!; wait $! 2>/dev/null; tail -n 1 heard
cli set short lived px 50; sleep 0.2; cli exists short
cli bgrewriteaof >/dev/null
for _ in {1..100}; do cli info persistence | grep -q 'aof_rewrite_in_progress:0' && break; sleep 0.05; done
cli info persistence | tr -d '\r' | grep -E '^aof_last_bgrewrite_status'
cli save; redis-check-rdb dump.rdb | grep -o 'RDB looks OK'
for command in ping set get; do
    redis-benchmark -p "$port" -t "$command" -n 2000 -c 10 -P 4 --csv 2>/dev/null | awk -F'"' 'NR > 1 { print $2, ($4 > 0 ? "measured" : "nothing") }'
done
redis-benchmark -p "$port" -t set,get -n 2000 -c 8 -r 1000 --threads 2 -q 2>/dev/null | tr '\r' '\n' | grep -c 'requests per second, p50'
cli debug jmap >/dev/null 2>&1; cli ping
cli shutdown
wait "$server"
echo "server ended $?"
redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly yes --dir . >server.log 2>&1 &
server=$!
for _ in {1..300}; do [ "$(cli ping 2>/dev/null)" = PONG ] && break; sleep 0.05; done
cli get key; cli get bulk:77
kill -TERM "$server"
wait "$server"
echo "server ended $?"
