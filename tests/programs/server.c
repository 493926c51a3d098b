// build: -pthread
// A server and its clients in one process, and the descriptors that such programs use.

#include "check.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 4, REQUESTS = 100 };

static union {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_un local;
} address;
static socklen_t address_size;

static void *be_client(void *arg) {
    int fd = socket(address.any.sa_family, SOCK_STREAM, 0);
    if (address.any.sa_family == AF_INET) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(fd, &address.any, address_size)) return (void *)-1000000;
    long sum = 0;
    for (long i = 0; i < REQUESTS; i++) {
        char request[600], reply[600];
        int length = snprintf(request, sizeof request, "%ld %ld ", (long)arg, i);
        while (length < i * 5) request[length++] = 'x';
        request[length++] = '\n';
        for (int done = 0; done < length;) {
            long n = send(fd, request + done, (size_t)(length - done > 50 ? 50 : length - done), MSG_NOSIGNAL);
            if (n < 0) return (void *)-2000000;
            done += (int)n;
        }
        length = 0;
        do {
            long n = recv(fd, reply + length, sizeof reply - (size_t)length, 0);
            if (n <= 0) return (void *)-3000000;
            length += (int)n;
        } while (reply[length - 1] != '\n');
        sum += atol(reply);
    }
    shutdown(fd, SHUT_WR);
    char byte;
    if (recv(fd, &byte, 1, 0) != 0) return (void *)-4000000;
    close(fd);
    return (void *)sum;
}

static struct connection {
    char text[700];
    int length;
} connections[64];

// Answers each line with its length and the numbers in it; zero at the end of the input.
static int serve(int fd) {
    struct connection *c = &connections[fd];
    long n = read(fd, c->text + c->length, sizeof c->text - (size_t)c->length);
    if (n <= 0) return n < 0 && errno == EAGAIN;
    c->length += (int)n;
    if (c->text[c->length - 1] == '\n') {
        long client, number;
        char reply[100];
        sscanf(c->text, "%ld %ld", &client, &number);
        n = sprintf(reply, "%ld\n", client * 1000 + number + c->length);
        write(fd, reply, (size_t)n);
        c->length = 0;
    }
    return 1;
}

static void run_server(int listener) {
    pthread_t threads[CLIENTS];
    struct epoll_event event = {EPOLLIN, {.fd = listener}}, events[8];
    int poller = epoll_create1(EPOLL_CLOEXEC), open_count = 0, accepted = 0;
    address_size = sizeof address;
    getsockname(listener, &address.any, &address_size);
    RESULT(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event));
    RESULT(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event));
    RESULT(epoll_wait(poller, events, 8, 0));
    for (long i = 0; i < CLIENTS; i++) pthread_create(&threads[i], NULL, be_client, (void *)i);
    while (accepted < CLIENTS || open_count) {
        int count = epoll_wait(poller, events, 8, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                event = (struct epoll_event){client % 2 ? EPOLLIN | EPOLLRDHUP : EPOLLIN, {.fd = client}};
                epoll_ctl(poller, EPOLL_CTL_ADD, client, &event);
                accepted++, open_count++;
            } else if (!serve(fd)) {
                epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL);
                close(fd);
                open_count--;
            }
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        void *sum;
        pthread_join(threads[i], &sum);
        printf("client %d: %ld\n", i, (long)sum);
    }
    close(listener), close(poller);
}

static void local_server(void) {
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address.local.sun_family = AF_UNIX;
    strcpy(address.local.sun_path, "socket");
    RESULT(connect(listener, &address.any, sizeof address.local));
    RESULT(bind(listener, &address.any, sizeof address.local));
    RESULT(listen(listener, 8));
    RESULT(accept(listener, NULL, NULL));
    run_server(listener);
    // A name that is in no folder.
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.local.sun_path, sizeof address.local.sun_path, "%cserver %d", 0, getpid());
    RESULT(bind(listener, &address.any, offsetof(struct sockaddr_un, sun_path) + 20));
    RESULT(listen(listener, 8));
    run_server(listener);
}

static void inet_server(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, value = 0;
    socklen_t size = sizeof value;
    address.inet = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    RESULT(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    RESULT(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    RESULT(getsockopt(listener, SOL_SOCKET, SO_TYPE, &value, &size));
    printf("type %d\n", value);
    RESULT(bind(listener, &address.any, sizeof address.inet));
    RESULT(listen(listener, 8));
    RESULT(getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &value, &size));
    printf("accepts %d\n", value);
    run_server(listener);
    RESULT(connect(socket(AF_INET, SOCK_STREAM, 0), &address.any, address_size));
}

static void *be_peer(void *arg) {
    char text[20] = "";
    int fd = *(int *)arg;
    long n = read(fd, text, sizeof text);
    write(fd, text, (size_t)n);
    shutdown(fd, SHUT_WR);
    while (read(fd, text, sizeof text) > 0) {}
    return NULL;
}

static void shutdowns(void) {
    int ends[2];
    char text[20] = "";
    pthread_t thread;
    RESULT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pthread_create(&thread, NULL, be_peer, &ends[1]);
    RESULT(send(ends[0], "hello", 5, 0));
    RESULT(recv(ends[0], text, 5, MSG_WAITALL));
    RESULT(recv(ends[0], text, 5, 0));
    struct pollfd state = {ends[0], POLLIN | POLLRDHUP, 0};
    RESULT(poll(&state, 1, -1));
    printf("%s events %x\n", text, state.revents);
    RESULT(shutdown(ends[0], SHUT_RDWR));
    pthread_join(thread, NULL);
    state.events = POLLIN | POLLOUT;
    RESULT(poll(&state, 1, -1));
    printf("events %x\n", state.revents);
    RESULT(send(ends[0], "x", 1, MSG_NOSIGNAL));
    RESULT(shutdown(ends[0], 9));
    close(ends[1]);
    RESULT(recv(ends[0], text, 1, MSG_DONTWAIT));
    RESULT(shutdown(0, SHUT_RD));
}

static int event_fd;

static void *add_events(void *arg) {
    uint64_t one = 1;
    for (int i = 0; i < 1000; i++) write(event_fd, &one, sizeof one);
    return arg;
}

static void events(void) {
    pthread_t threads[CLIENTS];
    uint64_t value, sum = 0;
    event_fd = eventfd(0, 0);
    for (int i = 0; i < CLIENTS; i++) pthread_create(&threads[i], NULL, add_events, NULL);
    while (sum < 1000 * CLIENTS) read(event_fd, &value, sizeof value), sum += value;
    for (int i = 0; i < CLIENTS; i++) pthread_join(threads[i], NULL);
    printf("sum %lu\n", sum);
    event_fd = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    for (int i = 0; i < 4; i++) RESULT(read(event_fd, &value, sizeof value));
    value = ~0ul;
    RESULT(write(event_fd, &value, sizeof value));
    value = ~1ul;
    RESULT(write(event_fd, &value, sizeof value));
    RESULT(write(event_fd, &value, sizeof value));
    RESULT(read(event_fd, &value, 4));
    // Each event once, and only what is asked for once.
    int poller = epoll_create1(0), again = eventfd(0, 0);
    struct epoll_event event = {EPOLLIN | EPOLLET, {.u64 = 0x123456789abcdef}}, got[4];
    RESULT(epoll_ctl(poller, EPOLL_CTL_ADD, again, &event));
    value = 1;
    write(again, &value, sizeof value);
    RESULT(epoll_wait(poller, got, 4, 0));
    printf("%lx %x\n", got[0].data.u64, got[0].events);
    RESULT(epoll_wait(poller, got, 4, 0));
    event.events = EPOLLIN | EPOLLONESHOT;
    RESULT(epoll_ctl(poller, EPOLL_CTL_MOD, again, &event));
    RESULT(epoll_wait(poller, got, 4, 0));
    RESULT(epoll_wait(poller, got, 4, 0));
    RESULT(epoll_ctl(poller, EPOLL_CTL_DEL, again, NULL));
    RESULT(epoll_ctl(poller, EPOLL_CTL_DEL, again, NULL));
    RESULT(epoll_ctl(poller, EPOLL_CTL_ADD, poller, &event));
    RESULT(epoll_wait(poller, got, 0, 0));
    RESULT(epoll_ctl(poller, EPOLL_CTL_ADD, again, &event));
    RESULT(epoll_wait(poller, (struct epoll_event *)opaque(16), 4, 5));
}

static void timers(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec setting = {{0, 2000000}, {0, 5000000}};
    uint64_t count = 0, total = 0;
    RESULT(read(fd, &count, sizeof count));
    RESULT(timerfd_settime(fd, 0, &setting, NULL));
    struct pollfd wait = {fd, POLLIN, 0};
    for (int i = 0; i < 5; i++) {
        if (poll(&wait, 1, -1) != 1 || read(fd, &count, sizeof count) != 8) puts("failed");
        total += count;
    }
    CHECK(total >= 5);
    RESULT(timerfd_gettime(fd, &setting));
    printf("interval %ld\n", setting.it_interval.tv_nsec);
    setting = (struct itimerspec){{0, 0}, {0, 0}};
    RESULT(timerfd_settime(fd, 0, &setting, NULL));
    RESULT(poll(&wait, 1, 5));
    fd = timerfd_create(CLOCK_REALTIME, 0);
    setting.it_value.tv_nsec = 1;  // long ago
    RESULT(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL));
    RESULT(read(fd, &count, sizeof count));
    printf("expired %lu\n", count);
    RESULT(timerfd_create(77, 0));
}

static void copies(void) {
    static char bytes[200000], other[200000];
    for (int i = 0; i < 200000; i++) bytes[i] = (char)(i * 7 + i / 256);
    int memory = memfd_create("a name", MFD_CLOEXEC | MFD_ALLOW_SEALING), file = open("file", O_CREAT | O_TRUNC | O_RDWR, 0600), ends[2];
    CHECK(memory >= 0);
    RESULT(write(memory, bytes, 200000));
    off_t from = 1000;
    RESULT(sendfile(file, memory, &from, 100000));
    printf("offset %ld\n", (long)from);
    RESULT(lseek(memory, 0, SEEK_SET));
    RESULT(sendfile(file, memory, NULL, 500));
    RESULT(pread(file, other, sizeof other, 0));
    printf("%lx\n", checksum(other, 100500));
    loff_t in = 100, out = 50;
    int target = open("target", O_CREAT | O_TRUNC | O_RDWR, 0600);
    RESULT(copy_file_range(file, &in, target, &out, 70000, 0));
    printf("offsets %ld %ld\n", (long)in, (long)out);
    RESULT(pread(target, other, sizeof other, 0));
    printf("%lx\n", checksum(other, 70050));
    RESULT(pipe(ends));
    in = 10;
    RESULT(splice(file, &in, ends[1], NULL, 1000, 0));
    RESULT(read(ends[0], other, sizeof other));
    printf("%lx\n", checksum(other, 1000));
    int pair[2];
    RESULT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    from = 5;
    RESULT(sendfile(pair[0], file, &from, 3000));
    RESULT(recv(pair[1], other, 3000, MSG_WAITALL));
    printf("%lx\n", checksum(other, 3000));
    char *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    mapped[7] = 'Z';
    RESULT(pread(memory, other, 8, 0));
    printf("%c\n", other[7]);
    munmap(mapped, 4096);
    RESULT(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE));
    RESULT(fcntl(memory, F_GET_SEALS));
    RESULT(write(memory, "x", 1));
    RESULT(ftruncate(memory, 10));
    RESULT(sendfile(-1, file, NULL, 1));
}

static int receive_descriptor(int from, char *text, size_t size) {
    char control[CMSG_SPACE(2 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    struct iovec piece = {text, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fd = -1;
    printf("received %ld", (long)recvmsg(from, &message, MSG_CMSG_CLOEXEC));
    printf(" flags %x", (unsigned)message.msg_flags & ~(unsigned)MSG_CMSG_CLOEXEC);
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        printf(" type %d length %zu", part->cmsg_type, (size_t)part->cmsg_len);
        if (part->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(part), sizeof fd);
        struct ucred who;
        if (part->cmsg_type == SCM_CREDENTIALS)
            memcpy(&who, CMSG_DATA(part), sizeof who), printf(" pid %d uid %d", who.pid == getppid(), who.uid == getuid());
    }
    putchar('\n');
    return fd;
}

// A process passes an open file to another.
static void passing(void) {
    int ends[2], one = 1;
    RESULT(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    RESULT(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        char text[20] = "";
        int fd = receive_descriptor(ends[1], text, sizeof text);
        printf("%s cloexec %d\n", text, fcntl(fd, F_GETFD));
        write(fd, " and the child", 14);
        fflush(stdout);
        _exit(0);
    }
    int file = open("passed", O_CREAT | O_TRUNC | O_RDWR, 0600);
    write(file, "the parent", 10);
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec piece = {"message", 7};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET, part->cmsg_type = SCM_RIGHTS, part->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(part), &file, sizeof file);
    long sent = sendmsg(ends[0], &message, 0);
    int status;
    waitpid(child, &status, 0);
    printf("sent %ld status %d\n", sent, status);
    char text[50] = "";
    RESULT(pread(file, text, sizeof text, 0));
    puts(text);
    file = -1;
    memcpy(CMSG_DATA(part), &file, sizeof file);
    RESULT(sendmsg(ends[0], &message, 0));
}

static void datagrams(void) {
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    address.inet = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    RESULT(bind(receiver, &address.any, sizeof address.inet));
    address_size = sizeof address;
    RESULT(getsockname(receiver, &address.any, &address_size));
    RESULT(connect(sender, &address.any, address_size));
    struct mmsghdr messages[8] = {0};
    struct iovec pieces[8];
    char texts[8][20] = {0};
    for (int i = 0; i < 5; i++) {
        sprintf(texts[i], "datagram %d", i * i * i);
        pieces[i] = (struct iovec){texts[i], strlen(texts[i])};
        messages[i].msg_hdr.msg_iov = &pieces[i], messages[i].msg_hdr.msg_iovlen = 1;
    }
    RESULT(sendmmsg(sender, messages, 5, 0));
    memset(texts, 0, sizeof texts);
    for (int i = 0; i < 8; i++) {
        pieces[i] = (struct iovec){texts[i], 11};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[i], .msg_iovlen = 1}};
    }
    RESULT(recvmmsg(receiver, messages, 2, 0, NULL));
    struct timespec limit = {0, 20000000};
    RESULT(recvmmsg(receiver, messages + 2, 6, MSG_WAITFORONE, &limit));
    for (int i = 0; i < 5; i++) printf("%u %s flags %x\n", messages[i].msg_len, texts[i], messages[i].msg_hdr.msg_flags);
    RESULT(recvmmsg(receiver, messages, 8, MSG_DONTWAIT, NULL));
    RESULT(sendto(sender, "to itself", 9, 0, NULL, 0));
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    RESULT(recvfrom(receiver, texts[0], 20, MSG_PEEK | MSG_TRUNC, (struct sockaddr *)&from, &size));
    printf("from %s size %u\n", inet_ntoa(from.sin_addr), size);
    struct iovec halves[2] = {{texts[1], 3}, {texts[2], 17}};
    RESULT(readv(receiver, halves, 2));
    printf("%.3s|%.6s\n", texts[1], texts[2]);
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(local_server), CASE(inet_server), CASE(shutdowns), CASE(events), CASE(timers),
        CASE(copies),       CASE(passing),     CASE(datagrams), {NULL, NULL},
    };
    return run_case(cases, argc, argv);
}
