// Drives thousands of sessions from one thread, for Scripts/bench and the kill tests: `idle` holds connections open,
// `late` measures how late an injected delay is answered. C, because the driver must not be what is measured.
//
//   load idle PORT COUNT              opens COUNT sessions (greeting, EHLO), prints "open COUNT", holds them until standard
//                                     input ends, then prints how many were still alive
//   load late PORT COUNT SPREAD_MS DELAY_MS
//                                     COUNT sessions stand before RCPT; each then sends RCPT, spread evenly over SPREAD_MS,
//                                     and is answered after an injected delay. Prints the lateness (send to receive less
//                                     DELAY_MS) at p50, p99, p99.9 and the worst, in microseconds, and how many waited at once.
// Times are taken just before write() and just after read(); nothing is subtracted but the delay itself.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { in_flight_max = 256, events_max = 1024, give_up_s = 60 };

struct session {
    int descriptor;
    int step;            // how many replies were read
    int64_t sent_ns;     // when RCPT was sent; 0 before
    int64_t late_ns;
    size_t filled;
    char line[600];      // the reply line being read
};

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_session(int port) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) die("socket");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
    int one = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return descriptor;
}

static void say(struct session *s, const char *text) {
    size_t length = strlen(text);
    if (write(s->descriptor, text, length) != (ssize_t)length) die("write");
}

// Reads once; returns how many replies (their last lines) ended in it, or -1 at the end of the connection.
static int read_replies(struct session *s) {
    char octets[4096];
    ssize_t count = read(s->descriptor, octets, sizeof octets);
    if (count <= 0) return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    int replies = 0;
    for (ssize_t i = 0; i < count; i++) {
        if (s->filled < sizeof s->line - 1) s->line[s->filled++] = octets[i];
        if (octets[i] != '\n') continue;
        if (s->filled > 3 && s->line[3] != '-') {
            replies++;
            if (s->line[0] > '3') {
                s->line[s->filled] = 0;
                fprintf(stderr, "load: refused at step %d: %s", s->step, s->line);
                exit(1);
            }
        }
        s->filled = 0;
    }
    return replies;
}

static const char *const script[] = {"EHLO load.test\r\n", "MAIL FROM:<a@sender.test>\r\n"};

// Brings all sessions to where `steps` replies were read (1: greeting, 2: EHLO, 3: MAIL), a few hundred in flight.
static void open_all(int epoll, struct session *all, int count, int port, int steps) {
    int opened = 0, done = 0;
    int64_t give_up = now_ns() + give_up_s * 1000000000LL;
    struct epoll_event events[events_max];
    while (done < count) {
        while (opened < count && opened - done < in_flight_max) {
            struct session *s = &all[opened++];
            memset(s, 0, sizeof *s);
            s->descriptor = open_session(port);
            struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
            if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->descriptor, &event) != 0) die("epoll_ctl");
        }
        int ready = epoll_wait(epoll, events, events_max, 1000);
        for (int i = 0; i < ready; i++) {
            struct session *s = events[i].data.ptr;
            int replies = read_replies(s);
            if (replies < 0) {
                fprintf(stderr, "load: closed by the server at step %d, %d done\n", s->step, done);
                exit(1);
            }
            for (; replies > 0; replies--) {
                s->step++;
                if (s->step < steps) say(s, script[s->step - 1]);
                else done++;
            }
        }
        if (now_ns() > give_up) {
            fprintf(stderr, "load: %d of %d sessions after %d s\n", done, count, give_up_s);
            exit(1);
        }
    }
}

static int run_idle(int epoll, struct session *all, int count, int port) {
    open_all(epoll, all, count, port, 2);
    printf("open %d\n", count);
    fflush(stdout);
    char octets[64];
    while (read(0, octets, sizeof octets) > 0) {}
    int alive = 0;
    for (int i = 0; i < count; i++) {
        struct pollfd one = {.fd = all[i].descriptor, .events = POLLIN};
        alive += poll(&one, 1, 0) == 0;  // neither octets nor an end arrived
    }
    printf("alive %d\n", alive);
    return 0;
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int run_late(int epoll, struct session *all, int count, int port, int spread_ms, int delay_ms) {
    open_all(epoll, all, count, port, 3);
    int64_t start = now_ns(), spread_ns = spread_ms * 1000000LL, delay_ns = delay_ms * 1000000LL;
    int sent = 0, received = 0, most = 0;
    struct epoll_event events[events_max];
    // The kernel may round a time-out up by 50 us; a measuring thread asks for none of that.
    prctl(PR_SET_TIMERSLACK, 1UL);
    while (received < count) {
        int64_t now = now_ns();
        while (sent < count && start + spread_ns * sent / count <= now) {
            struct session *s = &all[sent++];
            s->sent_ns = now_ns();
            say(s, "RCPT TO:<b@any.test>\r\n");
        }
        if (sent - received > most) most = sent - received;
        struct timespec wait = {.tv_nsec = sent < count ? 300000 : 100000000};
        int ready = epoll_pwait2(epoll, events, events_max, &wait, NULL);
        for (int i = 0; i < ready; i++) {
            struct session *s = events[i].data.ptr;
            int replies = read_replies(s);
            int64_t at = now_ns();
            if (replies < 0) {
                fprintf(stderr, "load: closed by the server while waiting\n");
                return 1;
            }
            if (replies == 0) continue;
            s->late_ns = at - s->sent_ns - delay_ns;
            received++;
        }
        if (now - start > spread_ns + delay_ns + give_up_s * 1000000000LL) {
            fprintf(stderr, "load: %d of %d answered\n", received, count);
            return 1;
        }
    }
    int64_t *late = calloc(count, sizeof *late);
    for (int i = 0; i < count; i++) late[i] = all[i].late_ns;
    qsort(late, count, sizeof *late, by_size);
    printf("waited_at_once %d first_us %lld p50_us %lld p99_us %lld p999_us %lld worst_us %lld\n", most,
           (long long)late[0] / 1000, (long long)late[count / 2] / 1000, (long long)late[(int)(count * 0.99)] / 1000,
           (long long)late[(int)(count * 0.999)] / 1000, (long long)late[count - 1] / 1000);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: load idle PORT COUNT | load late PORT COUNT SPREAD_MS DELAY_MS\n");
        return 2;
    }
    int port = atoi(argv[2]), count = atoi(argv[3]);
    struct session *all = calloc(count, sizeof *all);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!all || epoll < 0) die("start");
    if (strcmp(argv[1], "idle") == 0) return run_idle(epoll, all, count, port);
    if (strcmp(argv[1], "late") == 0 && argc == 6) return run_late(epoll, all, count, port, atoi(argv[4]), atoi(argv[5]));
    fprintf(stderr, "load: unknown arguments\n");
    return 2;
}
