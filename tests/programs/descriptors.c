// Pipes, dup, poll, select, epoll, eventfd, timerfd, socket pairs, sendfile: waiting and non-blocking input and output.

#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static void pipes(void) {
    int p[2];
    char buffer[100] = {0};
    RESULT(pipe2(p, O_NONBLOCK | O_CLOEXEC));
    printf("%d %d\n", p[0], p[1]);
    RESULT(read(p[0], buffer, 10));
    RESULT(write(p[1], "through", 7));
    int waiting;
    RESULT(ioctl(p[0], FIONREAD, &waiting));
    printf("waiting %d\n", waiting);
    RESULT(read(p[0], buffer, 100));
    printf("%s\n", buffer);
    long written = 0, n;
    static char block[4096];
    while ((n = write(p[1], block, sizeof block)) > 0) written += n;
    printf("full after %ld: %s\n", written, strerrorname_np(errno));
    RESULT(fcntl(p[1], F_GETPIPE_SZ));
    RESULT(lseek(p[0], 0, SEEK_SET));
    RESULT(dup(p[0]));
    RESULT(dup2(p[1], 20));
    RESULT(dup3(p[1], 21, O_CLOEXEC));
    RESULT(dup3(p[1], p[1], 0));
    RESULT(fcntl(p[1], F_DUPFD, 30));
    RESULT(fcntl(p[1], F_DUPFD_CLOEXEC, 30));
    RESULT(fcntl(31, F_GETFD));
    for (int fd = 20; fd < 32; fd++) close(fd);
    RESULT(close(p[1]));
    while ((n = read(p[0], block, sizeof block)) > 0) written -= n;
    printf("end of file %ld, left %ld\n", n, written);
    RESULT(close(p[0]));
}

static void waiting(void) {
    int p[2], event = eventfd(3, EFD_NONBLOCK);
    uint64_t count;
    RESULT(pipe(p));
    struct pollfd polled[3] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {event, POLLIN, 0}};
    RESULT(poll(polled, 3, 0));
    printf("%x %x %x\n", polled[0].revents, polled[1].revents, polled[2].revents);
    RESULT(read(event, &count, 8));
    printf("event %lu\n", count);
    RESULT(read(event, &count, 8));
    RESULT(poll(polled, 1, 10));
    RESULT(write(p[1], "x", 1));
    RESULT(ppoll(polled, 1, &(struct timespec){1, 0}, NULL));
    printf("%x\n", polled[0].revents);
    fd_set reading, writing;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(p[0], &reading);
    FD_SET(event, &reading);
    FD_SET(p[1], &writing);
    RESULT(select(event + 10, &reading, &writing, NULL, &(struct timeval){0, 1000}));
    printf("%d %d %d\n", FD_ISSET(p[0], &reading) != 0, FD_ISSET(event, &reading) != 0, FD_ISSET(p[1], &writing) != 0);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event watch = {.events = EPOLLIN, .data.u64 = 0x1234567890abcdef}, ready[4];
    RESULT(epoll_ctl(epoll, EPOLL_CTL_ADD, p[0], &watch));
    watch.events = EPOLLIN | EPOLLET, watch.data.u64 = 7;
    RESULT(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &watch));
    RESULT(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &watch));
    RESULT(epoll_wait(epoll, ready, 4, 0));
    printf("%x %lx\n", ready[0].events, ready[0].data.u64);
    RESULT(eventfd_write(event, 5));
    RESULT(epoll_pwait(epoll, ready, 4, 100, NULL));
    RESULT(epoll_ctl(epoll, EPOLL_CTL_DEL, p[0], NULL));
    RESULT(epoll_wait(epoll, ready, 4, 0));
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    RESULT(timerfd_settime(timer, 0, &(struct itimerspec){.it_value = {0, 1000000}}, NULL));
    RESULT(read(timer, &count, 8));
    printf("expired %lu\n", count);
    close(timer), close(epoll), close(event), close(p[0]), close(p[1]);
}

static void sockets(void) {
    int s[2];
    char buffer[50] = {0};
    RESULT(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    RESULT(send(s[0], "datagram", 8, 0));
    RESULT(recv(s[1], buffer, 4, MSG_PEEK));
    RESULT(recv(s[1], buffer, 50, 0));
    printf("%s\n", buffer);
    struct iovec part[2] = {{"ab", 2}, {"cde", 3}};
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr message = {.msg_iov = part, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &s[0], sizeof(int));
    RESULT(sendmsg(s[0], &message, 0));
    part[0] = (struct iovec){buffer, 1}, part[1] = (struct iovec){buffer + 10, 20};
    message.msg_controllen = sizeof control;
    RESULT(recvmsg(s[1], &message, 0));
    header = CMSG_FIRSTHDR(&message);
    int passed = -1;
    if (header) memcpy(&passed, CMSG_DATA(header), sizeof passed);
    printf("%c %.4s passed a new descriptor %d\n", buffer[0], buffer + 10, passed > s[1]);
    RESULT(write(passed, "via", 3));
    RESULT(read(s[1], buffer, 50));
    int type;
    socklen_t size = sizeof type;
    RESULT(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &type, &size));
    RESULT(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &(int){10000}, sizeof(int)));
    printf("type %d size %u\n", type, size);
    RESULT(shutdown(s[0], SHUT_WR));
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, "socket");
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    RESULT(bind(server, (struct sockaddr *)&name, sizeof name));
    RESULT(listen(server, 3));
    RESULT(connect(client, (struct sockaddr *)&name, sizeof name));
    size = sizeof name;
    int connection = accept4(server, (struct sockaddr *)&name, &size, SOCK_NONBLOCK);
    printf("connected %d\n", connection > client);
    RESULT(recv(connection, buffer, 1, 0));
    size = sizeof name;
    RESULT(getsockname(server, (struct sockaddr *)&name, &size));
    printf("%s\n", name.sun_path);
    RESULT(socket(77, 1, 0));
}

static void others(void) {
    struct winsize window;
    struct termios terminal;
    int file = open("source", O_RDWR | O_CREAT, 0600), target = open("target", O_RDWR | O_CREAT, 0600);
    off_t offset = 2;
    RESULT(write(file, "0123456789", 10));
    RESULT(sendfile(target, file, &offset, 5));
    RESULT(lseek(target, 0, SEEK_END));
    RESULT(copy_file_range(file, &(loff_t){0}, target, NULL, 10, 0));
    RESULT(ioctl(file, TIOCGWINSZ, &window));
    RESULT(ioctl(file, TCGETS, &terminal));
    RESULT(ioctl(99, FIONREAD, &window));
    printf("isatty %d %d %s\n", isatty(file), isatty(1), strerrorname_np(errno));
    RESULT(write(99, "x", 1));
    RESULT(write(target, (void *)8, 10));
    RESULT(lseek(file, 0, SEEK_SET));
    RESULT(read(file, (void *)opaque(8), 10));
    RESULT(pread(file, (void *)opaque(8), 10, 0));
    RESULT(poll((struct pollfd[]){{99, POLLIN, 0}}, 1, 0));
    RESULT(posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL));
}

int main(void) {
    pipes();
    waiting();
    sockets();
    others();
    return 0;
}
