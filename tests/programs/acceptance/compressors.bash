# zstd and xz with several threads, gzip and bzip2 through tar.
set -u
for _ in {1..30}; do cat data; done >large
for level in 1 5; do zstd -T2 -q -$level -c large >large.zst && zstd -T2 -q -d -c large.zst | cmp - large && echo "zstd $level"; done
zstd -T2 -B256K -q -3 -c large | zstd -q -t - && echo tested
zstd -q --adapt -c large | zstd -q -d -c | cksum
xz -T2 --block-size=1MiB -1 -c large >large.xz && xz -T2 -d -c large.xz | cmp - large && echo xz
xz --robot --list large.xz | awk '/^file/ { print "blocks", $3 }'
xz -T3 -0 --block-size=512KiB -c large | cksum
for way in gzip xz zstd; do
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -I "$way" -cf archive large lines.txt && tar -I "$way" -xOf archive lines.txt | cmp - lines.txt && echo "tar $way"
done
tar -cf - large | tar -xf - --to-command='wc -c'
head -c 100000 large.xz | xz -dc 2>/dev/null | wc -c >/dev/null; echo "damaged ${PIPESTATUS[1]}"
zstd -q -f --rm -T2 large && ls large*
