# find and xargs starting programs.
set -u

mkdir -p tree/{a,b,c}/{x,y}
for file in tree/{a,b}/{x,y}/{1,2}; do echo "$file" >"$file"; done
find tree -type f -exec cat {} \; | sort
find tree -type f -exec sh -c 'echo "$# files"' - {} +
find tree -type f -name 1 -execdir sh -c 'basename "$PWD"' \; | sort
find tree -name x -exec test -e {}/1 \; -print | sort
find tree -type f -print0 | xargs -0 -n 1 basename | sort | uniq -c
find tree -type f | sort | xargs -I{} -P 3 sh -c 'echo "<{}>"' | sort
find tree -type f | xargs -P 4 -n 1 md5sum | sort
echo "a b 'c d'" | xargs -n 1 echo item
seq 5 | xargs sh -c 'exit 1'; echo "xargs $?"
seq 5 | xargs -n 1 sh -c 'exit 255' 2>/dev/null; echo "xargs $?"
seq 5 | xargs nothing-of-this-name 2>/dev/null; echo "xargs $?"
find tree -empty -type d -delete
find tree -depth -type d | sort
