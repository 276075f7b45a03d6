/* top_keys.c - what keys do in `bough top`.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include <bough/tools/bough/top.h>

static bool is_up(int key)
{
    return key == BOUGH_KEY_UP || key == 'k';
}

/* In the table `k` ends an actor: there only the arrow goes up. */
static bool table_moves(struct bough_top *top, int key)
{
    const size_t at = top->at;

    switch (key) {
    case BOUGH_KEY_UP:
    case 'K': bough_top_select(top, at > 0 ? at - 1 : 0); return true;
    case BOUGH_KEY_DOWN:
    case 'j':
    case 'J': bough_top_select(top, at + 1); return true;
    case BOUGH_KEY_PAGE_UP:
        bough_top_select(top, at > top->page ? at - top->page : 0);
        return true;
    case BOUGH_KEY_PAGE_DOWN:
    case ' ': bough_top_select(top, at + top->page); return true;
    case BOUGH_KEY_HOME:
    case 'g': bough_top_select(top, 0); return true;
    case BOUGH_KEY_END:
    case 'G': bough_top_select(top, SIZE_MAX); return true;
    default: return false;
    }
}

static void fold(struct bough_top *top, bool folded)
{
    bough_top_fold(top, folded);
    (void)bough_top_update(top);
}

static void set_order(struct bough_top *top, int step)
{
    top->order = (enum bough_top_order)(((int)top->order + step + BOUGH_TOP_ORDER_COUNT) %
                                        BOUGH_TOP_ORDER_COUNT);
    (void)bough_top_update(top);
}

static enum bough_top_action ask(struct bough_top *top, enum bough_top_action question)
{
    if (top->count == 0) return BOUGH_TOP_NOTHING;
    top->question = question;
    top->mode = BOUGH_TOP_CONFIRM;
    return BOUGH_TOP_NOTHING;
}

/* `s` stops what runs, and starts what does not. */
static enum bough_top_action start_or_stop(struct bough_top *top)
{
    const char *state = top->count > 0 ? top->rows[top->at].state : "";

    if (top->count == 0) return BOUGH_TOP_NOTHING;
    if (strcmp(state, "stopped") == 0 || strcmp(state, "failed") == 0)
        return BOUGH_TOP_START;
    return ask(top, BOUGH_TOP_STOP);
}

static enum bough_top_action follow(struct bough_top *top, enum bough_top_mode mode)
{
    if (top->count == 0) return BOUGH_TOP_NOTHING;
    top->mode = mode;
    top->first = 0;
    return BOUGH_TOP_LOOK;
}

static enum bough_top_action leave_filter(struct bough_top *top, bool keep)
{
    if (!keep) top->filter[0] = '\0';
    top->mode = BOUGH_TOP_TABLE;
    (void)bough_top_update(top);
    return BOUGH_TOP_NOTHING;
}

static enum bough_top_action table_key(struct bough_top *top, int key)
{
    top->message[0] = '\0';
    if (table_moves(top, key)) return BOUGH_TOP_NOTHING;
    switch (key) {
    case 'q':
    case 'Q': return BOUGH_TOP_QUIT;
    case BOUGH_KEY_LEFT:
    case '-': fold(top, true); break;
    case BOUGH_KEY_RIGHT:
    case '+': fold(top, false); break;
    case 'o': set_order(top, 1); break;
    case 'O': set_order(top, -1); break;
    case '/': top->mode = BOUGH_TOP_FILTER; break;
    case '?':
    case 'h': top->mode = BOUGH_TOP_HELP; break;
    case BOUGH_KEY_ESCAPE: return leave_filter(top, false);
    case 'r': return top->count > 0 ? BOUGH_TOP_RESTART : BOUGH_TOP_NOTHING;
    case 's': return start_or_stop(top);
    case 'k': return ask(top, BOUGH_TOP_KILL);
    case 'l':
    case BOUGH_KEY_ENTER: return follow(top, BOUGH_TOP_LOG);
    case 'e': return follow(top, BOUGH_TOP_EVENTS);
    default: break;
    }
    return BOUGH_TOP_NOTHING;
}

static enum bough_top_action filter_key(struct bough_top *top, int key)
{
    const size_t length = strlen(top->filter);

    if (key == BOUGH_KEY_ENTER) return leave_filter(top, true);
    if (key == BOUGH_KEY_ESCAPE) return leave_filter(top, false);
    if (key == BOUGH_KEY_BACKSPACE) {
        if (length > 0) top->filter[length - 1] = '\0';
    } else if (key > ' ' && key < 0x7f && length < BOUGH_TOP_FILTER_MAX) {
        /* Paths are ASCII. */
        top->filter[length] = (char)key;
        top->filter[length + 1] = '\0';
    }
    (void)bough_top_update(top);
    return BOUGH_TOP_NOTHING;
}

/* Only a clear yes does what cannot be taken back. */
static enum bough_top_action confirm_key(struct bough_top *top, int key)
{
    top->mode = BOUGH_TOP_TABLE;
    return key == 'y' || key == 'Y' ? top->question : BOUGH_TOP_NOTHING;
}

/* Lines of a log: `first` counts how far up it is scrolled. What is shown says how far
 * that goes. */
static enum bough_top_action lines_key(struct bough_top *top, int key)
{
    if (key == BOUGH_KEY_PAGE_UP) {
        top->first += top->page;
    } else if (is_up(key)) {
        top->first++;
    } else if (key == BOUGH_KEY_PAGE_DOWN || key == ' ') {
        top->first -= top->first < top->page ? top->first : top->page;
    } else if (key == BOUGH_KEY_DOWN || key == 'j') {
        top->first -= top->first > 0;
    } else if (key == BOUGH_KEY_HOME || key == 'g') {
        top->first = SIZE_MAX / 2;
    } else if (key == BOUGH_KEY_END || key == 'G') {
        top->first = 0;
    } else if (key == 'l' && top->mode == BOUGH_TOP_EVENTS) {
        return follow(top, BOUGH_TOP_LOG);
    } else if (key == 'e' && top->mode == BOUGH_TOP_LOG) {
        return follow(top, BOUGH_TOP_EVENTS);
    } else if (key == 'q' || key == 'l' || key == 'e' || key == BOUGH_KEY_ESCAPE ||
               key == BOUGH_KEY_ENTER || key == BOUGH_KEY_LEFT) {
        top->mode = BOUGH_TOP_TABLE;
        top->first = 0;
        bough_top_select(top, top->at); /* it may be gone meanwhile */
    }
    return BOUGH_TOP_NOTHING;
}

enum bough_top_action bough_top_key(struct bough_top *top, int key)
{
    switch (top->mode) {
    case BOUGH_TOP_TABLE: return table_key(top, key);
    case BOUGH_TOP_FILTER: return filter_key(top, key);
    case BOUGH_TOP_CONFIRM: return confirm_key(top, key);
    case BOUGH_TOP_HELP: top->mode = BOUGH_TOP_TABLE; return BOUGH_TOP_NOTHING;
    case BOUGH_TOP_LOG:
    case BOUGH_TOP_EVENTS: return lines_key(top, key);
    }
    return BOUGH_TOP_NOTHING;
}
