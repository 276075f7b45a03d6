/* service.h - bough as a service of systemd: it says when it is up, that it stops, and
 * that it is still alive.
 *
 * As sd_notify(3) has it, and only where it is asked for ($NOTIFY_SOCKET,
 * $WATCHDOG_USEC). What is started is not for its children: both are taken out of the
 * environment. A manager that does not read is not waited for: it is told again.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOUGH_TOOLS_BOUGH_SERVICE_H
#define BOUGH_TOOLS_BOUGH_SERVICE_H

#include <ev.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct bough_service {
    int fd; /* -1: nobody asks */
    struct sockaddr_un address;
    socklen_t address_size;
    double watchdog_seconds; /* between two signs of life; 0: none is wanted */
    struct ev_timer watchdog;
    struct ev_loop *ev;
    const char *owed; /* what it could not be told; NULL: nothing */
    struct ev_timer again;
};

/* Before there are threads. */
void bough_service_open(struct bough_service *service);

/* From now on, as long as the loop goes round, it gives signs of life where these are
 * wanted, and says again what it could not. */
void bough_service_watch(struct bough_service *service, struct ev_loop *ev);

/* Says lines NAME=VALUE, such as "READY=1"; they are not copied. When the manager has no
 * room for them they are said again, until others are said. */
void bough_service_say(struct bough_service *service, const char *lines);

void bough_service_close(struct bough_service *service);

#endif
