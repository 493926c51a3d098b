// The process and its surroundings: identity, limits, clocks, random numbers, system information. Most values
// differ from run to run, so mostly conditions are printed.

#include "check.h"
#include <sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static int64_t nanoseconds(clockid_t clock) {
    struct timespec t = {-1, -1};
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void identity(void) {
    CHECK(getpid() > 0);
    CHECK(getppid() > 0);
    CHECK(gettid() == getpid());
    CHECK(getpgid(0) > 0);
    CHECK(getsid(0) >= 0);
    printf("uid %u %u gid %u %u\n", getuid(), geteuid(), getgid(), getegid());
    CHECK(getuid() == getauxval(AT_UID));
    CHECK(getgroups(0, NULL) >= 0);
    uid_t real, effective, saved;
    RESULT(getresuid(&real, &effective, &saved));
    CHECK(real == getuid() && effective == geteuid());
    CHECK(syscall(SYS_set_tid_address, &real) == getpid());
    char name[16] = "";
    RESULT(prctl(PR_SET_NAME, "renamed"));
    RESULT(prctl(PR_GET_NAME, name));
    printf("%s\n", name);
}

static void limits(void) {
    struct rlimit limit, again;
    RESULT(getrlimit(RLIMIT_NOFILE, &limit));
    CHECK(limit.rlim_cur > 10 && limit.rlim_cur <= limit.rlim_max);
    limit.rlim_cur = 64;
    RESULT(setrlimit(RLIMIT_NOFILE, &limit));
    RESULT(prlimit(0, RLIMIT_NOFILE, NULL, &again));
    printf("descriptors %lu\n", (unsigned long)again.rlim_cur);
    RESULT(dup2(1, 70));
    RESULT(getrlimit(RLIMIT_STACK, &limit));
    CHECK(limit.rlim_cur >= 1 << 20);
    RESULT(getrlimit(99, &limit));
    CHECK(sysconf(_SC_OPEN_MAX) == 64);
    CHECK(sysconf(_SC_PAGESIZE) == 4096);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    CHECK(sysconf(_SC_CLK_TCK) == 100);
}

static void clocks(void) {
    static const clockid_t all[] = {CLOCK_REALTIME,           CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
                                    CLOCK_MONOTONIC_RAW,      CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME};
    for (int i = 0; i < 8; i++) {
        int64_t first = nanoseconds(all[i]), second = nanoseconds(all[i]);
        struct timespec resolution;
        int result = clock_getres(all[i], &resolution);
        printf("clock %d: %d %d %d\n", all[i], first >= 0, second >= first, result);
    }
    RESULT(clock_gettime(77, &(struct timespec){0}));
    int64_t before = nanoseconds(CLOCK_MONOTONIC);
    RESULT(nanosleep(&(struct timespec){0, 20000000}, NULL));
    int64_t slept = nanoseconds(CLOCK_MONOTONIC) - before;
    CHECK(slept >= 20000000 && slept < 2000000000);
    RESULT(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, 1000}, NULL));
    RESULT(nanosleep(&(struct timespec){0, -5}, NULL));
    struct timeval day;
    RESULT(gettimeofday(&day, NULL));
    CHECK(labs(day.tv_sec - time(NULL)) <= 1 && day.tv_sec > 1600000000);
    CHECK(labs(nanoseconds(CLOCK_REALTIME) / 1000000000 - day.tv_sec) <= 1);
    uint64_t spin = 0;
    struct tms used;
    struct rusage usage = {0};
    // Some kernels divide user and system time by ticks, and all of a few milliseconds may count as one of them.
    while (nanoseconds(CLOCK_PROCESS_CPUTIME_ID) < 30000000) spin++;
    while (!usage.ru_utime.tv_sec && !usage.ru_utime.tv_usec) getrusage(RUSAGE_SELF, &usage);
    CHECK(times(&used) != -1 && used.tms_utime + used.tms_stime >= 1);
    RESULT(getrusage(RUSAGE_SELF, &usage));
    CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec > 0 && usage.ru_maxrss > 0);
    CHECK(clock() > 0);
    struct itimerval timer;
    RESULT(getitimer(ITIMER_REAL, &timer));
}

static void surroundings(void) {
    struct utsname name;
    RESULT(uname(&name));
    printf("%s %s\n", name.sysname, name.machine);
    CHECK(strlen(name.release) > 2);
    struct sysinfo info;
    RESULT(sysinfo(&info));
    CHECK(info.totalram > 0 && info.procs > 0 && info.mem_unit > 0);
    cpu_set_t set;
    RESULT(sched_getaffinity(0, sizeof set, &set));
    CHECK(CPU_COUNT(&set) >= 1);
    RESULT(sched_setaffinity(0, sizeof set, &set));
    RESULT(sched_yield());
    CHECK(sched_getcpu() >= 0);
    RESULT(sched_getscheduler(0));
    RESULT(getpriority(PRIO_PROCESS, 0));
    unsigned char a[64] = {0}, b[64] = {0};
    RESULT(getrandom(a, 64, 0));
    RESULT(getrandom(b, 64, GRND_NONBLOCK));
    CHECK(memcmp(a, b, 64) != 0);
    RESULT(getrandom((void *)opaque(8), 10, 0));
    RESULT(syscall(5000));
    RESULT(syscall(SYS_membarrier, 0, 0, 0) >= 0);
    char host[100];
    RESULT(gethostname(host, sizeof host));
}

int main(void) {
    identity();
    clocks();
    surroundings();
    limits();
    return 0;
}
