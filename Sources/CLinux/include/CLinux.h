// What Linux offers and `import Glibc` hides: epoll, accept4, socket options.
// The functions here return -errno instead of -1, so that nobody reads errno a second time.
#ifndef CLINUX_H
#define CLINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>


// Conditions of epoll as plain numbers (in the C header some are an enum and some are macros).
static const uint32_t LINUX_READABLE = EPOLLIN;
static const uint32_t LINUX_WRITABLE = EPOLLOUT;
static const uint32_t LINUX_PEER_FINISHED = EPOLLRDHUP;
static const uint32_t LINUX_HUNG_UP = EPOLLHUP;
static const uint32_t LINUX_FAILED = EPOLLERR;
static const uint32_t LINUX_EXCLUSIVE = EPOLLEXCLUSIVE;

int linux_epoll_create(void);
int linux_epoll_add(int epoll, int descriptor, uint32_t conditions, uint64_t cookie);
int linux_epoll_modify(int epoll, int descriptor, uint32_t conditions, uint64_t cookie);
int linux_epoll_remove(int epoll, int descriptor);

/// Waits for the first entry, `atMost_ms` at most; 0 does not wait. The number of entries filled, or -errno.
int linux_epoll_poll(int epoll, struct epoll_event *entries, int capacity, int atMost_ms);

/// The same, for less than a millisecond.
int linux_epoll_wait_ns(int epoll, struct epoll_event *entries, int capacity, long atMost_ns);

/// A stream socket, not blocking, closed on exec.
int linux_stream_socket(int family);
/// The new descriptor is not blocking and closed on exec.
int linux_accept(int listener, struct sockaddr_storage *peer, socklen_t *length);
/// Never waits, never raises SIGPIPE.
ssize_t linux_send(int descriptor, const void *octets, size_t count);
/// Never waits.
ssize_t linux_receive(int descriptor, void *octets, size_t capacity);
/// Looks at the next octet without taking it: 1, 0 at the end of the stream, or -errno.
ssize_t linux_peek(int descriptor);
/// Sends FIN.
int linux_finish_sending(int descriptor);
/// Makes close() send RST (SO_LINGER with 0 seconds).
int linux_reset_on_close(int descriptor);
/// Takes the pending error of a socket (SO_ERROR), 0 when there is none.
int linux_take_error(int descriptor);

int linux_reuse_address(int descriptor);
int linux_reuse_port(int descriptor);
int linux_ipv6_only(int descriptor);
/// Set on a listening socket it holds for every connection accepted there.
int linux_no_delay(int descriptor);
// Probes sent to a peer that is silent for long find out that it is gone.
int linux_keep_alive(int descriptor);

int linux_bind(int descriptor, const void *address, socklen_t length);
int linux_connect(int descriptor, const void *address, socklen_t length);
int linux_listen(int descriptor, int backlog);
int linux_local_address(int descriptor, struct sockaddr_storage *address, socklen_t *length);
/// A duplicate that is closed on exec.
int linux_duplicate(int descriptor);
/// A descriptor that is good for nothing but being closed when there are no others.
int linux_spare_descriptor(void);

/// Nanoseconds of CLOCK_MONOTONIC.
uint64_t linux_monotonic_ns(void);
/// Microseconds of CLOCK_REALTIME since 1970.
int64_t linux_wall_us(void);

/// At most so many heaps for all threads of the process; to be called before there are any.
void linux_limit_arenas(int most);

/// The limit of descriptors of this process; 0 on failure.
uint64_t linux_descriptor_limit(void);
/// Raises the limit of descriptors as far as the system allows without privileges; returns the limit then.
uint64_t linux_raise_descriptor_limit(void);
/// Sets the soft limit of descriptors: 0 or -errno.
int linux_set_descriptor_limit(uint64_t limit);
/// The words for an errno into `text`: how many octets, 0 when there are none.
int linux_error_words(int code, char *text, size_t capacity);
/// Gives free memory of the allocator back to the system.
void linux_trim_memory(void);

/// The calling thread alone gets the processor only when no other wants it.
void linux_give_way(void);

/// Gives the blocks of a range back to the file system; it reads as zeros then. Not every file system can.
int linux_punch_hole(int descriptor, int64_t offset, int64_t count);

/// Asks the name system (libresolv, with the servers of /etc/resolv.conf or, where `port` is not 0, one IPv4 address in
/// network order) for records of a type. Writes each as one line into `lines`: an address, a name, or a preference, a
/// space and a name. Returns how many octets were written, 0 where there are no such records, -1 where no answer, or
/// none that tells, came. Waits for `patience_s` about.
int linux_resolve(
    const char *name, int type, uint32_t server, uint16_t port, int patience_s, char *lines, size_t capacity);

#endif
