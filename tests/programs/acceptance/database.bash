# sqlite3 in several processes on one file, with a write-ahead log; and locks that stand in the way.
set -u
sql() { sqlite3 -batch -cmd '.timeout 60000' base.db "$@"; }
sql 'PRAGMA journal_mode = WAL; CREATE TABLE t (who INTEGER, n INTEGER, text TEXT, PRIMARY KEY (who, n));'
writer() { for n in $(seq 1 20); do echo "BEGIN IMMEDIATE; INSERT INTO t VALUES ($1, $n, hex(zeroblob($n))); COMMIT;"; done | sql; }
writer 1 & writer 2 & writer 3 &
for _ in 1 2 3; do sql 'SELECT count(*) = sum(length(text) = 2 * n) OR count(*) = 0 FROM t'; done
wait
sql 'SELECT who, count(*), sum(n), sum(length(text)) FROM t GROUP BY who'

# A reader keeps what it saw while another writes.
mkfifo commands
sqlite3 -batch base.db <commands >reader &
exec 3>commands
echo 'BEGIN; SELECT count(*) FROM t;' >&3
for _ in {1..200}; do [ -s reader ] && break; sleep 0.05; done
sql 'DELETE FROM t WHERE who = 3'
echo 'SELECT count(*) FROM t; COMMIT; SELECT count(*) FROM t;' >&3
exec 3>&-
wait
cat reader

sqlite3 -batch base.db '.timeout 0' 'BEGIN IMMEDIATE' '.shell sqlite3 -batch base.db "INSERT INTO t VALUES (9, 9, 9)" 2>&1; true' 'COMMIT'
sql 'PRAGMA wal_checkpoint(TRUNCATE); PRAGMA integrity_check; PRAGMA journal_mode = DELETE'
ls base.db*
# A writer that is killed leaves nothing half done.
sqlite3 -batch base.db <commands >killed &
exec 3>commands
echo "BEGIN; DELETE FROM t; INSERT INTO t SELECT 7, value, NULL FROM generate_series(1, 5000); SELECT 'deleted';" >&3
for _ in {1..200}; do [ -s killed ] && break; sleep 0.05; done
cat killed
{ kill -KILL $!; wait $!; echo "killed $?"; } 2>/dev/null
exec 3>&-
sql 'SELECT count(*) FROM t; PRAGMA integrity_check'
printf '1,a\n2,b\n' >rows.csv
sql '.mode csv' '.import "|cat rows.csv" imported' '.mode list' 'SELECT * FROM imported'
sql 'SELECT * FROM t ORDER BY who, n' | cksum
