/* types.c - the ready-made types of actor, by name.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/actors/types.h>

#include <bough/actors/command.h>
#include <bough/actors/counter.h>
#include <bough/actors/faulty.h>
#include <bough/actors/kv.h>
#include <bough/actors/logger.h>
#include <bough/actors/worker.h>

const struct bough_actor_type *const bough_actor_types[] = {
    &bough_command_type,
    &bough_counter_type,
    &bough_faulty_type,
    &bough_kv_type,
    &bough_logger_type,
    &bough_worker_type,
    NULL,
};
