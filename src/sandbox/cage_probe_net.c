/* Attempts over the network and over sockets. */
#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cage_probe.h"

#ifndef AF_ALG
#define AF_ALG 38
#endif

static int socket_ok(int family, int type, int protocol) {
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    int rc = outcome(fd >= 0);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static struct sockaddr_in to_port(const char *host, const char *port) {
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)target_number(port)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (host != NULL)
        (void)inet_pton(AF_INET, host, &a.sin_addr);
    return a;
}

static int connect_ok(const struct sockaddr_in *a) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = outcome(fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) == 0);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static int tcp_loopback(void) {
    const struct sockaddr_in a = to_port(NULL, "tcp");
    return connect_ok(&a);
}
static int tcp_host(void) {
    if (target("host") == NULL)
        return EADDRNOTAVAIL;
    const struct sockaddr_in a = to_port(target("host"), "host_tcp");
    return connect_ok(&a);
}
static int udp_loopback(void) {
    const struct sockaddr_in a = to_port(NULL, "udp");
    char c = '?';
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, &c, 1, 0, (const struct sockaddr *)&a, sizeof a) != 1)
        return outcome(false);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, 400) != 1) /* no answer: it did not get there */
        return ETIMEDOUT;
    return outcome(recv(fd, &c, 1, 0) == 1);
}
static int tcp_bind(void) {
    const struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return outcome(fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0 &&
                   listen(fd, 1) == 0);
}
static int packet_socket(void) {
    return socket_ok(AF_PACKET, SOCK_RAW, 0);
}
static int raw_socket(void) {
    return socket_ok(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}
static int netlink_socket(void) {
    return socket_ok(AF_NETLINK, SOCK_RAW, 0);
}
static int vsock(void) {
    return socket_ok(AF_VSOCK, SOCK_STREAM, 0);
}
static int alg_socket(void) {
    return socket_ok(AF_ALG, SOCK_SEQPACKET, 0);
}

static int connect_unix(const char *name, bool abstract) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = name == NULL ? 0 : strlen(name), at = abstract ? 1 : 0;
    if (n == 0 || n + at >= sizeof a.sun_path)
        return EINVAL;
    memcpy(a.sun_path + at, name, n);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + at + n);
    int rc = outcome(fd >= 0 && connect(fd, (const struct sockaddr *)&a, len) == 0);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static int unix_abstract(void) {
    return connect_unix(target("abstract"), true);
}
static int unix_path(void) {
    return connect_unix(target("unix"), false);
}

const struct attempt probe_net[] = {
    {"tcp_loopback", tcp_loopback},     {"tcp_host", tcp_host},
    {"udp_loopback", udp_loopback},     {"tcp_bind", tcp_bind},
    {"packet_socket", packet_socket},   {"raw_socket", raw_socket},
    {"netlink_socket", netlink_socket}, {"vsock", vsock},
    {"alg_socket", alg_socket},         {"unix_abstract", unix_abstract},
    {"unix_path", unix_path},           {NULL, NULL},
};
