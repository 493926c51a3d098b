# make -j2 with gcc: ten files, then what they make is run; nothing is to do the second time.
set -eu
cd project
make -j2 | sort
./program
make -j2
touch part3.c
make -j2
make -j2 clean
ls
