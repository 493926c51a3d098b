# make with four jobs; what it prints is in order since every target is quiet or alone.
set -u
make -j4 2>&1 | sed 's/make\[[0-9]*\]/make[N]/' | sort
make again
rm 3.part
make -n -j1 | grep -c part
make -j2 -O whole
make -j4 --shuffle=1 whole && cat whole | cksum
