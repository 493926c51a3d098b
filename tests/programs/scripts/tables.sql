-- Joins, aggregates, recursive queries, indexes, triggers, text functions, in memory.
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL, kind INTEGER);
CREATE TABLE kind(id INTEGER PRIMARY KEY, title TEXT UNIQUE);
INSERT INTO kind(title) VALUES ('tool'), ('toy'), ('food');
WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 3000)
INSERT INTO item(name, price, kind) SELECT 'item-' || (n * 7919 % 3001), n * 0.37, n % 4 FROM counter;
CREATE INDEX item_name ON item(name);
SELECT kind.title, count(*), round(sum(price), 2), min(name), max(name)
  FROM item LEFT JOIN kind ON kind.id = item.kind GROUP BY item.kind ORDER BY 1;
SELECT name, price FROM item WHERE name LIKE 'item-29%' ORDER BY price DESC LIMIT 5;
CREATE TABLE log(what TEXT);
CREATE TRIGGER on_delete AFTER DELETE ON item BEGIN INSERT INTO log VALUES (old.name); END;
DELETE FROM item WHERE id % 997 = 0;
SELECT group_concat(what, ' ') FROM log;
BEGIN;
UPDATE item SET price = price * 2 WHERE kind = 1;
ROLLBACK;
SELECT count(*), total(price) FROM item;
WITH RECURSIVE
  axis(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM axis WHERE i < 11),
  point(x, y, cx, cy, zx, zy, n) AS (
    SELECT a.i, b.i, a.i * 0.27 - 2.2, b.i * 0.22 - 1.2, 0.0, 0.0, 0 FROM axis a, axis b
    UNION ALL
    SELECT x, y, cx, cy, zx * zx - zy * zy + cx, 2 * zx * zy + cy, n + 1 FROM point WHERE zx * zx + zy * zy < 4 AND n < 20)
SELECT group_concat(m, ' ') FROM (SELECT max(n) AS m FROM point GROUP BY y, x);
SELECT upper(substr('abcdef', 2, 3)), printf('%08.3f|%d|%s', 3.14159, 42, 'x'), hex('text'), length('grün'), typeof(1.0), 7 / 2, 7 % 3;
SELECT json_extract('{"a": [1, {"b": 2.5}]}', '$.a[1].b'), date(86400 * 365, 'unixepoch'), strftime('%H:%M', 3661, 'unixepoch');
SELECT name FROM item WHERE rowid IN (SELECT id FROM item WHERE price > 100 EXCEPT SELECT id FROM item WHERE kind <> 2) ORDER BY name DESC LIMIT 3;
PRAGMA integrity_check;
