# gcc: preprocessor, cc1, as, collect2, ld; several files, libraries, shared objects; then what it made is run.
set -eu
cat >greet.h <<'EOF'
int greet(const char *name, double x);
EOF
cat >greet.c <<'EOF'
#include <math.h>
#include <stdio.h>
#include "greet.h"
int greet(const char *name, double x) { return printf("hello %s %.6f\n", name, sqrt(x) + sin(x)); }
EOF
cat >main.c <<'EOF'
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "greet.h"
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(int argc, char **argv) {
    int numbers[100];
    unsigned state = 1;
    for (int i = 0; i < 100; i++) numbers[i] = (state = state * 1664525 + 1013904223) >> 20;
    qsort(numbers, 100, sizeof *numbers, compare);
    printf("%d %d %d\n", numbers[0], numbers[50], numbers[99]);
    greet(argc > 1 ? argv[1] : "nobody", 2.0);
    return argc;
}
EOF
gcc -O2 -Wall -Wextra -c greet.c
gcc -O2 -Wall -Wextra -c main.c
gcc -o program main.o greet.o -lm
./program world || echo "status $?"
gcc -O2 -flto -pipe -static -o static main.c greet.c -lm
./static static there || echo "status $?"
gcc -O1 -g -fPIC -shared -o libgreet.so greet.c -lm
gcc -O0 -g -fsanitize=undefined -fno-sanitize-recover -o shared main.c -L. -lgreet -Wl,-rpath,"$PWD"
./shared || echo "status $?"
echo '#include <pthread.h>
#include <stdio.h>
static _Thread_local int own; static _Atomic int sum;
static void *add(void *n) { for (int i = 0; i < 1000; i++) { own++; sum++; } return (void *)((long)n + own); }
int main(void) { pthread_t t[4]; void *r; long all = 0;
  for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, add, (void *)i);
  for (int i = 0; i < 4; i++) { pthread_join(t[i], &r); all += (long)r; }
  printf("threads %d %ld\n", sum, all); return 0; }' | gcc -O2 -x c -o threads -
./threads
gcc -O3 -S -o - greet.c | grep -c 'greet'
echo 'int main(void) { return x; }' | gcc -x c - -o bad 2>&1 | grep -o "error: 'x' undeclared" || true
gcc -o bad greet.o 2>&1 | grep -o 'undefined reference to .main' || echo failed
echo 'int f(int x) { return x * 2; }' | gcc -E -x c - | grep -c return
ar rcs libgreet.a greet.o && nm libgreet.a | awk '$2 == "T" { print $3 }'
gcc -O2 -o archive main.o libgreet.a -lm && strip archive && ./archive ar || echo "status $?"
gcc -O2 -fopenmp -x c -o parallel - <<'EOF'
#include <stdio.h>
int main(void) { long sum = 0;
#pragma omp parallel for reduction(+ : sum) num_threads(3)
  for (int i = 0; i < 100000; i++) sum += i;
  printf("parallel %ld\n", sum); return 0; }
EOF
./parallel
readelf -h program | grep -c ELF64
