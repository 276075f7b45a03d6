#!/bin/sh
# visits.sh - the page of stack.json: how many have come, as Redis counts them. Run by the web
# server for each request.
#
# SPDX-License-Identifier: MIT

printf 'Content-Type: text/plain\r\n\r\n'
exec redis-cli -p "$REDIS_PORT" incr visits
