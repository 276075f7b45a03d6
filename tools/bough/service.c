/* service.c - datagrams to whoever has started bough as a service.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/service.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bough/tools/bough/output.h>

static const double AGAIN_SECONDS = 0.1;

/* A path, or an abstract name behind an "@". */
static bool parse_address(const char *text, struct bough_service *service)
{
    const size_t len = strlen(text);

    if ((text[0] != '/' && text[0] != '@') || len < 2 ||
        len >= sizeof(service->address.sun_path))
        return false;
    service->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(service->address.sun_path, text, len);
    if (text[0] == '@') service->address.sun_path[0] = '\0';
    service->address_size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (text[0] == '/'));
    return true;
}

/* Half of what is allowed, as its manual says; 0: it is not wanted of this process. */
static double watchdog_seconds(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

    if (usec == NULL || (pid != NULL && strtol(pid, NULL, 10) != getpid())) return 0;
    return strtod(usec, NULL) / 2e6;
}

void bough_service_open(struct bough_service *service)
{
    const char *address = getenv("NOTIFY_SOCKET");

    *service = (struct bough_service){ .fd = -1 };
    if (address != NULL && parse_address(address, service)) {
        service->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        service->watchdog_seconds = watchdog_seconds();
    } else if (address != NULL) {
        bough_complain("NOTIFY_SOCKET \"%s\" is no address: nobody is told", address);
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

/* False: the manager has no room for it now. */
static bool say(const struct bough_service *service, const char *lines)
{
    if (sendto(service->fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT,
               (const struct sockaddr *)&service->address, service->address_size) >= 0)
        return true;
    if (errno == EAGAIN) return false;
    bough_complain("NOTIFY_SOCKET cannot be told: %s", strerror(errno));
    return true;
}

static void on_again(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    struct bough_service *service = timer->data;

    (void)events;
    if (!say(service, service->owed)) return;
    service->owed = NULL;
    ev_timer_stop(ev, timer);
}

void bough_service_say(struct bough_service *service, const char *lines)
{
    if (service->fd < 0) return;
    ev_timer_stop(service->ev, &service->again);
    service->owed = say(service, lines) ? NULL : lines;
    if (service->owed != NULL) ev_timer_again(service->ev, &service->again);
}

/* One that is lost is followed by another. */
static void on_watchdog(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void)ev, (void)events;
    (void)say(timer->data, "WATCHDOG=1");
}

void bough_service_watch(struct bough_service *service, struct ev_loop *ev)
{
    service->ev = ev;
    ev_timer_init(&service->again, on_again, 0, AGAIN_SECONDS);
    ev_timer_init(&service->watchdog, on_watchdog, 0, service->watchdog_seconds);
    service->again.data = service->watchdog.data = service;
    if (service->fd >= 0 && service->watchdog_seconds > 0)
        ev_timer_start(ev, &service->watchdog);
}

void bough_service_close(struct bough_service *service)
{
    if (service->ev != NULL) {
        ev_timer_stop(service->ev, &service->watchdog);
        ev_timer_stop(service->ev, &service->again);
    }
    if (service->fd >= 0) close(service->fd);
    service->fd = -1;
}
