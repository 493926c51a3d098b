# A static program with another C library than Debian's: musl.
set -eu
cat >program.c <<'EOF'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int count;
static volatile sig_atomic_t caught;
static void catch(int n) { caught = n; }
static void *add(void *n) { for (int i = 0; i < 1000; i++) { pthread_mutex_lock(&lock); count++; pthread_mutex_unlock(&lock); } return n; }
int main(void) {
    pthread_t t[4];
    for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, add, 0);
    for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
    signal(SIGUSR1, catch);
    raise(SIGUSR1);
    printf("%d %d %.10g\n", count, caught == SIGUSR1, strtod("1.5e3", 0));
    fflush(stdout);
    FILE *pipe = popen("echo through popen", "r");
    char line[100];
    printf("%s", fgets(line, sizeof line, pipe));
    int status = pclose(pipe);
    if (fork() == 0) _exit(6);
    wait(&status);
    printf("%d %d\n", WIFEXITED(status), WEXITSTATUS(status));
    return 0;
}
EOF
musl-gcc -O2 -static -o program program.c
./program
