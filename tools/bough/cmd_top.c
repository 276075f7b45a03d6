/* cmd_top.c - `bough top`: the tree on a full screen, looked at again and again.
 *
 * What is shown is made in top.c and top_draw.c, what is asked in top_source.c, and the
 * terminal is screen.c's; here is the turn that they take.
 *
 * SPDX-License-Identifier: MIT */
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <bough/config/units.h>
#include <bough/tools/bough/commands.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>
#include <bough/tools/bough/screen.h>
#include <bough/tools/bough/top_source.h>

enum { EVERY_MS = 1000, EVERY_MIN_MS = 50, EVERY_MAX_MS = 3600000 };

struct session {
    struct bough_top top;
    struct bough_top_source source;
    struct bough_screen screen;
    int64_t every_ms, next_ms;
};

static bool take_every(const struct bough_arguments *arguments, int64_t *every_ms)
{
    const char *text = arguments->options[BOUGH_OPTION_EVERY];
    struct bough_error error;

    *every_ms = EVERY_MS;
    if (text == NULL) return true;
    if (bough_duration_parse(text, every_ms, &error) != BOUGH_OK) {
        bough_complain("top: --every: %s", error.text);
        return false;
    }
    if (*every_ms >= EVERY_MIN_MS && *every_ms <= EVERY_MAX_MS) return true;
    bough_complain("top: --every must be from 50ms to 1h, not \"%s\"", text);
    return false;
}

/* The exit code, complained. */
static int look(struct session *session)
{
    struct bough_top_picture picture;
    const int code = bough_top_look(&session->source, &picture);

    if (code != BOUGH_CODE_DONE) return code;
    if (bough_top_take(&session->top, &picture)) return BOUGH_CODE_DONE;
    bough_complain("out of memory");
    return BOUGH_CODE_FAILED;
}

/* One picture */

static int print_once(struct session *session)
{
    int code = look(session);

    if (code != BOUGH_CODE_DONE) return code;
    /* What is counted in a second needs two looks. */
    (void)poll(NULL, 0, (int)session->every_ms);
    code = look(session);
    if (code == BOUGH_CODE_DONE) bough_top_print(stdout, &session->top);
    return code;
}

/* The screen */

/* What was seen last stays, and why there is nothing newer is said. */
static void look_again(struct session *session)
{
    struct bough_top *top = &session->top;
    char why[BOUGH_TOP_TEXT];
    const int code = look(session);

    top->lost[0] = '\0';
    if (code == BOUGH_CODE_NOBODY) {
        (void)bough_screen_complaint(&session->screen, why, sizeof(why));
        snprintf(top->lost, sizeof(top->lost),
                 "the tree has ended, and is looked for: q leaves");
    } else if (code != BOUGH_CODE_DONE) {
        if (!bough_screen_complaint(&session->screen, why, sizeof(why)))
            snprintf(why, sizeof(why), "no answer");
        snprintf(top->lost, sizeof(top->lost), "%s", why);
    } else {
        bough_top_read_lines(&session->source, top);
        (void)bough_screen_complaint(&session->screen, top->message,
                                     sizeof(top->message));
    }
    session->next_ms = bough_top_clock_ms() + session->every_ms;
}

static bool draw(struct session *session)
{
    struct bough_top_line *lines;
    int width, height;

    bough_screen_size(&width, &height);
    if (height <= 0) return true;
    lines = calloc((size_t)height, sizeof(*lines));
    if (lines == NULL) return false;
    bough_top_draw(&session->top, &session->source.lines, width, height, lines);
    bough_screen_draw(&session->screen, lines, height);
    free(lines);
    return true;
}

static int wait_ms(const struct session *session)
{
    const int64_t left = session->next_ms - bough_top_clock_ms();

    return left > 0 ? (int)left : 0;
}

/* False: leave. */
static bool act(struct session *session, enum bough_top_action action)
{
    struct bough_top *top = &session->top;

    if (action == BOUGH_TOP_QUIT) return false;
    if (action == BOUGH_TOP_NOTHING) return true;
    if (action != BOUGH_TOP_LOOK &&
        bough_top_act(&session->source, top, action, top->message) != BOUGH_CODE_DONE)
        (void)bough_screen_complaint(&session->screen, top->message,
                                     sizeof(top->message));
    session->next_ms = 0;
    return true;
}

static bool turn(struct session *session)
{
    int key;

    if (wait_ms(session) == 0) look_again(session);
    if (!draw(session)) return false;
    key = bough_screen_key(wait_ms(session));
    if (key == BOUGH_SCREEN_CLOSED) return false;
    if (key < 0) return true;
    return act(session, bough_top_key(&session->top, key));
}

static int show(struct session *session)
{
    int code = look(session);

    if (code != BOUGH_CODE_DONE) return code;
    if (!bough_screen_open(&session->screen)) return BOUGH_CODE_FAILED;
    while (turn(session))
        continue;
    bough_screen_close(&session->screen);
    return code;
}

int bough_cmd_top(const struct bough_arguments *arguments)
{
    struct session session = { .next_ms = 0 };
    int code;

    /* What the terminal can show; numbers stay as they are. */
    (void)setlocale(LC_CTYPE, "");
    if (!take_every(arguments, &session.every_ms)) return BOUGH_CODE_USAGE;
    if (!bough_top_init(&session.top)) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    code = bough_top_source_init(&session.source, arguments);
    if (code == BOUGH_CODE_DONE) {
        code = arguments->options[BOUGH_OPTION_ONCE] != NULL ? print_once(&session)
                                                             : show(&session);
        bough_top_source_finish(&session.source);
    }
    bough_top_finish(&session.top);
    return code;
}
