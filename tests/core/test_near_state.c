/* test_near_state.c - who may look ahead in an actor's state: code on its loop, while it
 * runs messages.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/runtime.h>
#include <bough/tests/support/probe.h>

static const struct bough_actor_type other_type = { .name = "other" };

/* What one actor sees of another. */
struct sight {
    struct bough_address address;
    const struct bough_actor_type *type;
    const void *state;
    unsigned looks;
};

static void look(struct bough_actor *actor, struct bough_probe *probe, int64_t number)
{
    struct sight *sight = probe->data;

    (void)actor;
    (void)number;
    sight->state = bough_near_state(sight->address, sight->type);
    sight->looks++;
}

/* Somebody who looks, and whom they look at. */
struct scene {
    struct bough_test *test;
    struct sight sight;
    struct bough_probe eye, object;
    struct bough_address viewer;
};

static void scene_open(struct scene *scene, struct bough_test *test)
{
    *scene = (struct scene){
        .test = test,
        .sight = { .type = &bough_probe_type },
        .eye = { .hook = look },
    };
    scene->eye.data = &scene->sight;
    scene->viewer = bough_probe_spawn(test, &scene->eye, NULL);
    scene->sight.address = bough_probe_spawn(test, &scene->object, NULL);
}

static const void *seen(struct scene *scene)
{
    const unsigned looks = scene->sight.looks;

    assert_status(bough_probe_send(scene->viewer, BOUGH_PROBE_HOOK, 0), BOUGH_OK);
    bough_test_run(scene->test);
    assert_int_equal(scene->sight.looks, looks + 1);
    return scene->sight.state;
}

static void scene_close(struct scene *scene)
{
    bough_probe_end(scene->test, scene->viewer);
}

static void the_state_is_seen_from_its_loop(void **state)
{
    struct scene scene;

    scene_open(&scene, *state);
    assert_ptr_equal(seen(&scene), bough_state(scene.object.actor));
    scene.sight.address = bough_address_place(scene.sight.address);
    assert_ptr_equal(seen(&scene), bough_state(scene.object.actor));
    bough_probe_end(scene.test, bough_self(scene.object.actor));
    scene_close(&scene);
}

static void it_is_not_seen_from_outside(void **state)
{
    struct scene scene;

    scene_open(&scene, *state);
    assert_null(bough_near_state(scene.sight.address, &bough_probe_type));
    bough_probe_end(scene.test, scene.sight.address);
    scene_close(&scene);
}

static void that_of_another_type_is_not_seen(void **state)
{
    struct scene scene;

    scene_open(&scene, *state);
    scene.sight.type = &other_type;
    assert_null(seen(&scene));
    bough_probe_end(scene.test, scene.sight.address);
    scene_close(&scene);
}

static void nobody_is_not_seen(void **state)
{
    struct scene scene;

    scene_open(&scene, *state);
    bough_probe_end(scene.test, scene.sight.address);
    assert_null(seen(&scene));
    scene.sight.address = BOUGH_NOBODY;
    assert_null(seen(&scene));
    scene_close(&scene);
}

static void one_that_runs_no_messages_is_not_seen(void **state)
{
    struct scene scene;

    scene_open(&scene, *state);
    bough_pause(scene.object.actor);
    assert_null(seen(&scene));
    bough_resume(scene.object.actor);
    assert_non_null(seen(&scene));
    bough_probe_end(scene.test, scene.sight.address);
    scene_close(&scene);
}

/* On the same thread, too. */
static void that_of_another_loop_is_not_seen(void **state)
{
    struct scene scene;
    struct bough_probe neighbour = { 0 };

    scene_open(&scene, *state);
    bough_probe_end(scene.test, scene.sight.address);

    struct bough_runtime *runtime = bough_runtime_new(NULL);
    assert_non_null(runtime);
    struct bough_loop *loop = bough_loop_new(runtime, scene.test->ev);
    assert_non_null(loop);
    assert_status(bough_spawn(loop, &bough_probe_type,
                              &(struct bough_probe_options){ &neighbour }, NULL,
                              &scene.sight.address, NULL),
                  BOUGH_OK);
    assert_null(seen(&scene));
    bough_runtime_free(runtime);
    scene_close(&scene);
}

#define test_of(function) \
    cmocka_unit_test_setup_teardown(function, bough_test_setup, bough_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(the_state_is_seen_from_its_loop),
        test_of(it_is_not_seen_from_outside),
        test_of(that_of_another_type_is_not_seen),
        test_of(nobody_is_not_seen),
        test_of(one_that_runs_no_messages_is_not_seen),
        test_of(that_of_another_loop_is_not_seen),
    };
    return cmocka_run_group_tests_name("core/near_state", tests, NULL, NULL);
}
