// build: -pthread
// What the kernel tells a program of itself under /proc agrees with what the program knows.

#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SAY(condition) printf("%s: %s\n", #condition, (condition) ? "yes" : "no")

static char text[1 << 18];

static char *content_at(int folder, const char *name) {
    int fd = openat(folder, name, O_RDONLY);
    long len = 0, n;
    while (fd >= 0 && (n = read(fd, text + len, sizeof text - 1 - len)) > 0) len += n;
    if (fd >= 0) close(fd);
    text[len] = 0;
    return text;
}

static char *content(const char *name) { return content_at(AT_FDCWD, name); }

// The text behind "KEY:\t".
static const char *line(const char *name, const char *key) {
    static char value[200];
    size_t len = strlen(key);
    value[0] = 0;
    for (char *at = content(name); at && *at; at = strchr(at, '\n'), at = at ? at + 1 : 0)
        if (strncmp(at, key, len) == 0 && at[len] == ':') sscanf(at + len + 1, " %199[^\n]", value);
    return value;
}

static long number(const char *name, const char *key) { return atol(line(name, key)); }
static uint64_t hex(const char *name, const char *key) { return strtoull(line(name, key), 0, 16); }

static unsigned long long field(const char *name, int index) {
    char *at = strrchr(content(name), ')') + 2;
    for (int i = 3; i < index; i++) at = strchr(at, ' ') + 1;
    return strtoull(at, 0, 10);
}

static void on_signal(int number) { (void)number; }

static char path[100];
static const char *of_task(int tid, const char *name) {
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", tid, name);
    return path;
}

// Threads in the list of them.
static int tasks(void) {
    int count = 0;
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(dir)) != 0;) count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static int other;
static pthread_barrier_t barrier;

static void *thread(void *arg) {
    char name[16];
    other = gettid();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    // Its name was changed by the first thread.
    prctl(PR_GET_NAME, name);
    SAY(strcmp(name, "renamed") == 0);
    SAY(strcmp(content("/proc/thread-self/comm"), "renamed\n") == 0);
    SAY(strcmp(content("/proc/self/comm"), "first thread\n") == 0);
    SAY(atol(content("/proc/thread-self/stat")) == gettid() && atol(content("/proc/self/stat")) == getpid());
    pthread_barrier_wait(&barrier);
    return arg;
}

int main(int argc, char **argv) {
    (void)argc;
    // Handlers of signals that emulators need themselves, too.
    signal(SIGUSR1, on_signal), signal(SIGSEGV, on_signal), signal(SIGURG, on_signal);
    signal(SIGUSR2, SIG_IGN), signal(SIGBUS, SIG_IGN);
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGTERM), sigaddset(&set, SIGURG), sigaddset(&set, 40);
    sigprocmask(SIG_SETMASK, &set, 0);
    raise(SIGTERM);
    uint64_t pending = hex("/proc/self/status", "SigPnd") | hex("/proc/self/status", "ShdPnd");
    uint64_t blocked = hex("/proc/self/status", "SigBlk");
    uint64_t known = 1 << (SIGUSR1 - 1) | 1 << (SIGSEGV - 1) | 1 << (SIGURG - 1);
    SAY(pending == 1 << (SIGTERM - 1));
    SAY(blocked == (1ull << (SIGTERM - 1) | 1ull << (SIGURG - 1) | 1ull << 39));
    SAY((hex("/proc/self/status", "SigCgt") & 0xffffffff) == known);
    SAY((hex("/proc/self/status", "SigIgn") & (1 << (SIGUSR2 - 1) | 1 << (SIGBUS - 1) | known)) ==
        (1 << (SIGUSR2 - 1) | 1 << (SIGBUS - 1)));
    SAY(field("/proc/self/stat", 32) == (1 << (SIGTERM - 1) | 1 << (SIGURG - 1)));

    prctl(PR_SET_NAME, "first thread");
    SAY(strcmp(content("/proc/self/comm"), "first thread\n") == 0);
    SAY(strcmp(line("/proc/self/status", "Name"), "first thread") == 0);
    SAY(strstr(content("/proc/self/stat"), " (first thread) R ") != 0);
    SAY(strncmp(line("/proc/self/status", "State"), "R", 1) == 0);
    SAY(number("/proc/self/status", "Pid") == getpid());

    // Memory: what is mapped counts.
    long before = number("/proc/self/status", "VmSize");
    char *map = mmap(0, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(map, 1, 8 << 20);
    long size = number("/proc/self/status", "VmSize"), resident = number("/proc/self/status", "VmRSS");
    SAY(size - before >= 64 << 10 && size - before < 66 << 10);
    SAY(resident >= 8 << 10 && resident <= size);
    SAY(number("/proc/self/status", "VmHWM") >= resident && number("/proc/self/status", "VmPeak") >= size);
    SAY(number("/proc/self/status", "VmData") >= 64 << 10 && number("/proc/self/status", "VmStk") > 0);
    SAY(number("/proc/self/status", "VmExe") > 0);
    SAY(field("/proc/self/stat", 23) / 1024 == (unsigned long)size);
    SAY(atol(content("/proc/self/statm")) * 4 == size);
    unsigned long from, to, here = (unsigned long)&size, code = (unsigned long)main;
    SAY(field("/proc/self/stat", 26) <= code && code < field("/proc/self/stat", 27));
    SAY(field("/proc/self/stat", 28) > here);

    // The mappings, and each one's sizes.
    int found = 0, sizes = 0;
    for (char *at = content("/proc/self/smaps"); at && *at; at = strchr(at, '\n'), at = at ? at + 1 : 0) {
        static unsigned long start, end;
        long kb;
        if (sscanf(at, "%lx-%lx ", &start, &end) == 2) found += start <= here && here < end && strstr(at, "[stack]") != 0;
        else if (sscanf(at, "Size: %ld kB", &kb) == 1) sizes += kb != (long)(end - start) / 1024;
        else if (sscanf(at, "Rss: %ld kB", &kb) == 1 && start <= (unsigned long)map && (unsigned long)map < end) found += kb >= 8 << 10;
    }
    SAY(found == 2 && sizes == 0);
    pthread_attr_t attributes;
    void *stack;
    size_t stack_size;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &stack, &stack_size);
    SAY((char *)stack < (char *)&stack && (char *)&stack < (char *)stack + stack_size);
    from = to = 0;
    sscanf(content(of_task(getpid(), "maps")), "%lx-%lx", &from, &to);
    SAY(from < to);

    // By an open folder.
    int folder = open("/proc/self", O_RDONLY | O_DIRECTORY);
    SAY(strstr(content_at(folder, "status"), "Name:\tfirst thread\n") == content_at(folder, "status"));
    SAY(strcmp(content_at(folder, "cmdline"), argv[0]) == 0);
    close(folder);
    folder = open(of_task(getpid(), ""), O_RDONLY | O_DIRECTORY);
    SAY(strcmp(content_at(folder, "comm"), "first thread\n") == 0);

    // Threads: those of this program, whoever else works in its process.
    volatile unsigned hash = 1;
    for (int i = 0; i < 3000000; i++) hash = hash * 31 + i;
    SAY(tasks() == 1);

    // Another thread.
    pthread_t id;
    pthread_barrier_init(&barrier, 0, 2);
    SAY(number("/proc/self/status", "Threads") == 1);
    pthread_create(&id, 0, thread, 0);
    pthread_barrier_wait(&barrier);
    SAY(number("/proc/self/status", "Threads") == 2 && field("/proc/self/stat", 20) == 2 && tasks() == 2);
    SAY(number(of_task(other, "status"), "Pid") == other && number(of_task(other, "status"), "Tgid") == getpid());
    SAY(strcmp(line(of_task(other, "status"), "Name"), "first thread") == 0);
    SAY(pthread_setname_np(id, "renamed") == 0);
    SAY(strcmp(content(of_task(other, "comm")), "renamed\n") == 0);
    SAY(strstr(content(of_task(other, "stat")), " (renamed) ") != 0);
    SAY(strcmp(content("/proc/self/comm"), "first thread\n") == 0);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    pthread_join(id, 0);
    return 0;
}
