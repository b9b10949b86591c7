// The thin side of CLinux.h: each function is one system call whose failure is returned as -errno.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <resolv.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int outcome(int result) { return result < 0 ? -errno : result; }

static int switch_on(int descriptor, int level, int option) {
    int on = 1;
    return outcome(setsockopt(descriptor, level, option, &on, sizeof on));
}

int linux_epoll_create(void) { return outcome(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int operation, int descriptor, uint32_t conditions, uint64_t cookie) {
    struct epoll_event event = {.events = conditions, .data = {.u64 = cookie}};
    return outcome(epoll_ctl(epoll, operation, descriptor, &event));
}

int linux_epoll_add(int epoll, int descriptor, uint32_t conditions, uint64_t cookie) {
    return control(epoll, EPOLL_CTL_ADD, descriptor, conditions, cookie);
}

int linux_epoll_modify(int epoll, int descriptor, uint32_t conditions, uint64_t cookie) {
    return control(epoll, EPOLL_CTL_MOD, descriptor, conditions, cookie);
}

int linux_epoll_remove(int epoll, int descriptor) { return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0); }

int linux_epoll_poll(int epoll, struct epoll_event *entries, int capacity, int atMost_ms) {
    return outcome(epoll_wait(epoll, entries, capacity, atMost_ms));
}

int linux_epoll_wait_ns(int epoll, struct epoll_event *entries, int capacity, long atMost_ns) {
    struct timespec limit = {atMost_ns / 1000000000, atMost_ns % 1000000000};
    int count = epoll_pwait2(epoll, entries, capacity, &limit, NULL);
    // Before Linux 5.11, and where a filter of system calls does not know it.
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) count = epoll_wait(epoll, entries, capacity, atMost_ns > 0);
    return outcome(count);
}

int linux_stream_socket(int family) {
    return outcome(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int linux_accept(int listener, struct sockaddr_storage *peer, socklen_t *length) {
    return outcome(accept4(listener, (struct sockaddr *)peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

ssize_t linux_send(int descriptor, const void *octets, size_t count) {
    ssize_t taken;
    do taken = send(descriptor, octets, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (taken < 0 && errno == EINTR);
    return taken < 0 ? -errno : taken;
}

ssize_t linux_receive(int descriptor, void *octets, size_t capacity) {
    ssize_t count;
    do count = recv(descriptor, octets, capacity, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

ssize_t linux_peek(int descriptor) {
    char octet;
    ssize_t count = recv(descriptor, &octet, 1, MSG_DONTWAIT | MSG_PEEK);
    return count < 0 ? -errno : count;
}

int linux_finish_sending(int descriptor) { return outcome(shutdown(descriptor, SHUT_WR)); }

int linux_reset_on_close(int descriptor) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    return outcome(setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

int linux_take_error(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

int linux_reuse_address(int descriptor) { return switch_on(descriptor, SOL_SOCKET, SO_REUSEADDR); }
int linux_reuse_port(int descriptor) { return switch_on(descriptor, SOL_SOCKET, SO_REUSEPORT); }
int linux_ipv6_only(int descriptor) { return switch_on(descriptor, IPPROTO_IPV6, IPV6_V6ONLY); }
int linux_no_delay(int descriptor) { return switch_on(descriptor, IPPROTO_TCP, TCP_NODELAY); }

int linux_keep_alive(int descriptor) { return switch_on(descriptor, SOL_SOCKET, SO_KEEPALIVE); }

int linux_bind(int descriptor, const void *address, socklen_t length) {
    return outcome(bind(descriptor, address, length));
}

int linux_connect(int descriptor, const void *address, socklen_t length) {
    return outcome(connect(descriptor, address, length));
}

int linux_listen(int descriptor, int backlog) { return outcome(listen(descriptor, backlog)); }

int linux_local_address(int descriptor, struct sockaddr_storage *address, socklen_t *length) {
    return outcome(getsockname(descriptor, (struct sockaddr *)address, length));
}

int linux_duplicate(int descriptor) { return outcome(fcntl(descriptor, F_DUPFD_CLOEXEC, 0)); }

int linux_spare_descriptor(void) { return outcome(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

uint64_t linux_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t linux_wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint64_t linux_descriptor_limit(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : limit.rlim_cur;
}

uint64_t linux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return linux_descriptor_limit();
}

int linux_set_descriptor_limit(uint64_t soft) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = soft;
    return outcome(setrlimit(RLIMIT_NOFILE, &limit));
}

int linux_error_words(int code, char *text, size_t capacity) {
    const char *words = strerrordesc_np(code);
    return words == NULL ? 0 : snprintf(text, capacity, "%s", words);
}

void linux_limit_arenas(int most) { mallopt(M_ARENA_MAX, most); }

void linux_trim_memory(void) { malloc_trim(0); }

void linux_give_way(void) {
    struct sched_param none = {0};
    if (sched_setscheduler(0, SCHED_IDLE, &none) != 0) setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
}

int linux_punch_hole(int descriptor, int64_t offset, int64_t count) {
    return outcome(fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count));
}

/// One record as a line; its length, or 0 where it does not fit or is of another type.
static size_t record_line(const ns_msg *message, const ns_rr *record, int type, char *line, size_t capacity) {
    const unsigned char *data = ns_rr_rdata(*record);
    char name[NS_MAXDNAME];
    int written = 0;
    if ((int)ns_rr_type(*record) != type) return 0;
    switch (type) {
    case ns_t_a:
    case ns_t_aaaa:
        if (ns_rr_rdlen(*record) != (type == ns_t_a ? 4 : 16)) return 0;
        if (!inet_ntop(type == ns_t_a ? AF_INET : AF_INET6, data, name, sizeof name)) return 0;
        written = snprintf(line, capacity, "%s\n", name);
        break;
    case ns_t_ptr:
        if (dn_expand(ns_msg_base(*message), ns_msg_end(*message), data, name, sizeof name) < 0) return 0;
        written = snprintf(line, capacity, "%s\n", name);
        break;
    case ns_t_mx:
        if (ns_rr_rdlen(*record) < 3) return 0;
        if (dn_expand(ns_msg_base(*message), ns_msg_end(*message), data + 2, name, sizeof name) < 0) return 0;
        written = snprintf(line, capacity, "%u %s\n", ns_get16(data), name);
        break;
    }
    return written > 0 && (size_t)written < capacity ? (size_t)written : 0;
}

/// Answers are as large as a message can be.
enum { LARGEST_ANSWER = 65535 };

int linux_resolve(
    const char *name, int type, uint32_t server, uint16_t port, int patience_s, char *lines, size_t capacity) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return -1;
    if (port != 0) {
        state.nscount = 1;
        state.nsaddr_list[0] =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = server}};
    }
    state.options &= ~(RES_DNSRCH | RES_DEFNAMES);
    // Two tries in all: of one server, or one of each of two.
    if (state.nscount > 2) state.nscount = 2;
    state.retry = state.nscount > 1 ? 1 : 2;
    state.retrans = patience_s > 1 ? patience_s / 2 : 1;

    unsigned char *answer = malloc(LARGEST_ANSWER);
    size_t used = 0;
    int outcome = -1;
    if (answer) {
        int length = res_nquery(&state, name, ns_c_in, type, answer, LARGEST_ANSWER);
        ns_msg message;
        if (length < 0) {
            if (state.res_h_errno == HOST_NOT_FOUND || state.res_h_errno == NO_DATA) outcome = 0;
        } else if (ns_initparse(answer, length < LARGEST_ANSWER ? length : LARGEST_ANSWER, &message) == 0) {
            for (int index = 0; index < ns_msg_count(message, ns_s_an); index++) {
                ns_rr record;
                if (ns_parserr(&message, ns_s_an, index, &record) != 0) break;
                used += record_line(&message, &record, type, lines + used, capacity - used);
            }
            outcome = (int)used;
        }
        free(answer);
    }
    res_nclose(&state);
    return outcome;
}
