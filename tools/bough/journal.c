/* journal.c - the last lines of the log of a tree, and who reads them as they come.
 *
 * The line with number n lies at n % capacity, in one allocation with its texts. Readers
 * are in a list, for a line that makes room counts as missed for those that wanted it and
 * have not had it.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/journal.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/assert.h>
#include <bough/core/runtime.h>
#include <bough/core/text.h>
#include <bough/tools/bough/output.h>

struct line {
    int64_t realtime_ns;
    size_t size; /* of all of it, in bytes */
    enum bough_log_level level;
    const char *stream, *text; /* in `path`, behind it; NULL: a report */
    char path[];
};

struct bough_journal {
    pthread_mutex_t lock;
    uint64_t first, last; /* kept: from `first` to `last`; first > last: none */
    size_t bytes, bytes_max;
    struct bough_journal_reader *readers;
    void (*added)(void *data);
    void *data;
    bough_log_function *log; /* the hooks behind this */
    void *log_data;
    bough_output_function *output; /* NULL: what programs write is logged */
    void *output_data;
    size_t capacity;
    struct line *ring[]; /* NULL: there was no memory for it */
};

struct bough_journal *bough_journal_new(size_t lines, size_t bytes)
{
    struct bough_journal *journal;

    bough_assert(lines > 0);
    journal = calloc(1, sizeof(*journal) + lines * sizeof(journal->ring[0]));
    if (journal == NULL) return NULL;
    journal->first = 1;
    journal->bytes_max = bytes;
    journal->capacity = lines;
    pthread_mutex_init(&journal->lock, NULL);
    return journal;
}

void bough_journal_free(struct bough_journal *journal)
{
    if (journal == NULL) return;
    bough_assert(journal->readers == NULL);
    for (size_t i = 0; i < journal->capacity; i++) {
        free(journal->ring[i]);
    }
    pthread_mutex_destroy(&journal->lock);
    free(journal);
}

void bough_journal_listen(struct bough_journal *journal, void (*added)(void *data),
                          void *data)
{
    pthread_mutex_lock(&journal->lock);
    journal->added = added;
    journal->data = data;
    pthread_mutex_unlock(&journal->lock);
}

/* Adding */

static bool wants(const struct bough_journal_reader *reader, const struct line *line)
{
    const size_t length = reader->path_length;

    if (line == NULL || line->level < reader->least) return false;
    if (length == 0) return true; /* the root: also what is of the runtime, without one */
    return strncmp(line->path, reader->path, length) == 0 &&
           (line->path[length] == '/' || line->path[length] == '\0');
}

static struct line **place_of(struct bough_journal *journal, uint64_t number)
{
    return &journal->ring[number % journal->capacity];
}

/* The oldest one goes. */
static void make_room(struct bough_journal *journal)
{
    const uint64_t number = journal->first++;
    struct line **place = place_of(journal, number);
    struct bough_journal_reader *reader;

    for (reader = journal->readers; reader != NULL; reader = reader->next) {
        if (reader->position > number) continue;
        if (number <= reader->until && wants(reader, *place)) reader->missed++;
        reader->position = number + 1;
    }
    if (*place != NULL) journal->bytes -= (*place)->size;
    free(*place);
    *place = NULL;
}

static struct line *line_new(const struct bough_log_record *record)
{
    const char *stream = record->stream != NULL ? record->stream : "";
    const size_t path_size = strlen(record->path) + 1, stream_size = strlen(stream) + 1;
    const size_t text_size = strlen(record->text) + 1;
    const size_t size = sizeof(struct line) + path_size + stream_size + text_size;
    struct line *line = malloc(size);

    if (line == NULL) return NULL;
    line->realtime_ns = record->realtime_ns;
    line->size = size;
    line->level = record->level;
    memcpy(line->path, record->path, path_size);
    memcpy(line->path + path_size, stream, stream_size);
    memcpy(line->path + path_size + stream_size, record->text, text_size);
    line->stream = record->stream != NULL ? line->path + path_size : NULL;
    line->text = line->path + path_size + stream_size;
    return line;
}

static bool is_wanted(const struct bough_journal *journal, const struct line *line)
{
    const struct bough_journal_reader *reader;

    for (reader = journal->readers; reader != NULL; reader = reader->next)
        if (journal->last <= reader->until && wants(reader, line)) return true;
    return false;
}

void bough_journal_add(struct bough_journal *journal,
                       const struct bough_log_record *record)
{
    struct line *line = line_new(record);

    pthread_mutex_lock(&journal->lock);
    journal->last++;
    if (line != NULL) journal->bytes += line->size;
    while (journal->last - journal->first >= journal->capacity ||
           (journal->bytes > journal->bytes_max && journal->first < journal->last))
        make_room(journal);
    *place_of(journal, journal->last) = line;
    if (journal->added != NULL && is_wanted(journal, line)) journal->added(journal->data);
    pthread_mutex_unlock(&journal->lock);
}

static void tap_log(void *data, const struct bough_log_record *record)
{
    struct bough_journal *journal = data;

    bough_journal_add(journal, record);
    journal->log(journal->log_data, record);
}

/* One for which there is no room now comes again. */
static bool tap_output(void *data, const struct bough_log_record *record)
{
    struct bough_journal *journal = data;

    if (!journal->output(journal->output_data, record)) return false;
    bough_journal_add(journal, record);
    return true;
}

void bough_journal_tap(struct bough_journal *journal, struct bough_runtime *runtime)
{
    bough_assert(journal->log == NULL);
    journal->log = bough_runtime_log(runtime, &journal->log_data);
    journal->output = bough_runtime_output(runtime, &journal->output_data);
    bough_runtime_set_log(runtime, tap_log, journal);
    if (journal->output != NULL) bough_runtime_set_output(runtime, tap_output, journal);
}

/* Reading */

/* Back from the last line to that of which so many are wanted. */
static uint64_t position_of(struct bough_journal *journal,
                            const struct bough_journal_reader *reader, uint64_t lines)
{
    uint64_t position = journal->last + 1;

    for (uint64_t at = journal->last; at >= journal->first && lines > 0; at--) {
        if (!wants(reader, *place_of(journal, at))) continue;
        position = at;
        lines--;
    }
    return position;
}

static void init_reader(struct bough_journal_reader *reader, const char *path,
                        enum bough_log_level least)
{
    bough_assert(strlen(path) < BOUGH_PATH_MAX);
    *reader = (struct bough_journal_reader){ .least = least };
    reader->path_length = strcmp(path, "/") == 0 ? 0 : strlen(path);
    memcpy(reader->path, path, reader->path_length);
}

bool bough_journal_has(struct bough_journal *journal, const char *path)
{
    struct bough_journal_reader reader;
    bool has;

    init_reader(&reader, path, BOUGH_DEBUG);
    pthread_mutex_lock(&journal->lock);
    has = position_of(journal, &reader, 1) <= journal->last;
    pthread_mutex_unlock(&journal->lock);
    return has;
}

void bough_journal_open(struct bough_journal *journal,
                        struct bough_journal_reader *reader, const char *path,
                        enum bough_log_level least, uint64_t lines, bool follow)
{
    bough_assert(reader->journal == NULL);
    init_reader(reader, path, least);
    reader->journal = journal;
    pthread_mutex_lock(&journal->lock);
    reader->until = follow ? UINT64_MAX : journal->last;
    reader->position = position_of(journal, reader, lines);
    reader->next = journal->readers;
    reader->link = &journal->readers;
    if (reader->next != NULL) reader->next->link = &reader->next;
    journal->readers = reader;
    pthread_mutex_unlock(&journal->lock);
}

/* The next line that it wants, and its position; NULL: none. */
static const struct line *find(const struct bough_journal_reader *reader,
                               uint64_t *position)
{
    struct bough_journal *journal = reader->journal;

    for (; *position <= journal->last && *position <= reader->until; (*position)++) {
        const struct line *line = *place_of(journal, *position);

        if (wants(reader, line)) return line;
    }
    return NULL;
}

static json_t *view(const struct line *line)
{
    char time[BOUGH_TIME_TEXT];
    json_t *object = json_pack("{s:s, s:s, s:o}", "time",
                               bough_time_print(line->realtime_ns, time, sizeof(time)),
                               "level", bough_log_level_names[line->level], "path",
                               bough_output_string(line->path));

    if (object == NULL) return NULL;
    if ((line->stream != NULL &&
         json_object_set_new(object, "stream", bough_output_string(line->stream)) != 0) ||
        json_object_set_new(object, "text", bough_output_string(line->text)) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *read_missed(struct bough_journal_reader *reader)
{
    json_t *object = json_pack("{s:I}", "missed", (json_int_t)reader->missed);

    if (object != NULL) reader->missed = 0;
    return object;
}

/* One for which there is no memory is missing, too. */
static json_t *read_line(struct bough_journal_reader *reader)
{
    const struct line *line = find(reader, &reader->position);
    json_t *object = line != NULL ? view(line) : NULL;

    if (line != NULL) reader->position++;
    if (line != NULL && object == NULL) reader->missed++;
    return object;
}

json_t *bough_journal_read(struct bough_journal_reader *reader)
{
    json_t *object;

    pthread_mutex_lock(&reader->journal->lock);
    object = reader->missed > 0 ? read_missed(reader) : read_line(reader);
    pthread_mutex_unlock(&reader->journal->lock);
    return object;
}

void bough_journal_close(struct bough_journal_reader *reader)
{
    struct bough_journal *journal = reader->journal;

    if (journal == NULL) return;
    pthread_mutex_lock(&journal->lock);
    *reader->link = reader->next;
    if (reader->next != NULL) reader->next->link = reader->link;
    pthread_mutex_unlock(&journal->lock);
    reader->journal = NULL;
}
