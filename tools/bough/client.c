/* client.c - talking to the tree that runs, over its control socket.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/client.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <bough/core/place.h>
#include <bough/tools/bough/exit_code.h>
#include <bough/tools/bough/output.h>

/* A busy tree may refuse connections for a moment: its queue of callers is full. */
enum { CONNECT_TRIES = 200, CONNECT_PAUSE_MS = 10, CONNECT_WAIT_MS = 5000 };

/* Bytes that come in. */
struct received {
    char *data;
    size_t size, capacity;
    bool (*line)(void *data, const char *text); /* NULL: all is kept for the end */
    void *line_data;
    bool refused; /* by line() */
    CURL *curl;
};

int bough_client_init(struct bough_client *client,
                      const struct bough_arguments *arguments)
{
    const int code =
        bough_socket_find(arguments->options[BOUGH_OPTION_CONTROL],
                          arguments->options[BOUGH_OPTION_NAME], client->socket);

    if (code != BOUGH_CODE_DONE) return code;
    client->limit_ms = 0;
    client->json = arguments->options[BOUGH_OPTION_JSON] != NULL;
    if (!bough_curl_load()) return BOUGH_CODE_FAILED;
    client->curl = bough_curl.curl_easy_init();
    if (client->curl != NULL) return BOUGH_CODE_DONE;
    bough_complain("out of memory");
    return BOUGH_CODE_FAILED;
}

void bough_client_limit(struct bough_client *client, int64_t limit_ms)
{
    client->limit_ms = limit_ms;
}

void bough_client_finish(struct bough_client *client)
{
    bough_curl.curl_easy_cleanup(client->curl);
    client->curl = NULL;
}

/* Hands over the lines that are complete, as long as they are wanted; keeps the rest. */
static void hand_over_lines(struct received *received)
{
    char *start = received->data, *end;

    while (!received->refused && (end = memchr(start, '\n', received->size)) != NULL) {
        *end = '\0';
        received->refused = !received->line(received->line_data, start);
        received->size -= (size_t)(end + 1 - start);
        start = end + 1;
    }
    memmove(received->data, start, received->size + 1);
}

/* Makes room for `more` bytes and a NUL: twice as much each time, for the status of a
 * large tree comes in a thousand pieces. */
static bool reserve(struct received *received, size_t more)
{
    const size_t needed = received->size + more + 1;
    const size_t capacity =
        needed > 2 * received->capacity ? needed : 2 * received->capacity;
    char *grown;

    if (needed <= received->capacity) return true;
    grown = realloc(received->data, capacity);
    if (grown == NULL) return false;
    received->data = grown;
    received->capacity = capacity;
    return true;
}

static size_t receive(char *data, size_t size, size_t count, void *user)
{
    struct received *received = user;
    long status = 0;

    if (!reserve(received, count * size)) return 0;
    memcpy(received->data + received->size, data, count * size);
    received->size += count * size;
    received->data[received->size] = '\0';
    bough_curl.curl_easy_getinfo(received->curl, CURLINFO_RESPONSE_CODE, &status);
    if (received->line != NULL && status == 200) hand_over_lines(received);
    return received->refused ? 0 : count * size;
}

static bool busy(CURL *curl, CURLcode result)
{
    long error = 0;

    if (result != CURLE_COULDNT_CONNECT) return false;
    bough_curl.curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &error);
    return error == EAGAIN;
}

static CURLcode perform(CURL *curl)
{
    CURLcode result = bough_curl.curl_easy_perform(curl);

    for (int tries = 1; tries < CONNECT_TRIES && busy(curl, result); tries++) {
        poll(NULL, 0, CONNECT_PAUSE_MS);
        result = bough_curl.curl_easy_perform(curl);
    }
    return result;
}

static int transport_failed(const struct bough_client *client, CURLcode result,
                            int64_t wait_ms)
{
    char duration[BOUGH_OUTPUT_DURATION];

    switch ((int)result) {
    case CURLE_OPERATION_TIMEDOUT:
        bough_complain("no answer from the tree at %s within %s", client->socket,
                       bough_output_duration(wait_ms, duration));
        return BOUGH_CODE_TIMEOUT;
    case CURLE_COULDNT_CONNECT:
        bough_complain("%s: nobody there; the tree has just gone", client->socket);
        return BOUGH_CODE_NOBODY;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        bough_complain("the tree at %s went away before it had answered", client->socket);
        return BOUGH_CODE_NOBODY;
    default:
        bough_complain("%s: %s", client->socket, bough_curl.curl_easy_strerror(result));
        return BOUGH_CODE_FAILED;
    }
}

/* The exit code of an error answer: what the status says, and whether the path was wrong.
 */
static int error_code(const json_t *error)
{
    const char *status = bough_output_member(error, "status", "");

    if (json_object_get(error, "path") != NULL) return BOUGH_CODE_NO_PATH;
    if (strcmp(status, bough_status_name(BOUGH_EDENIED)) == 0) return BOUGH_CODE_DENIED;
    if (strcmp(status, bough_status_name(BOUGH_ETIMEOUT)) == 0) return BOUGH_CODE_TIMEOUT;
    return BOUGH_CODE_FAILED;
}

static int answer_failed(const struct bough_client *client, const char *about,
                         const json_t *answer, long http)
{
    const json_t *error = json_object_get(answer, "error");

    if (error == NULL) {
        bough_complain("%s: answered HTTP %ld, which is not from a tree", client->socket,
                       http);
        return BOUGH_CODE_FAILED;
    }
    if (client->json) {
        bough_output_json(answer);
    } else {
        bough_complain("%s%s%s: %s", about != NULL ? about : "",
                       about != NULL ? ": " : "",
                       bough_output_member(error, "status", "failed"),
                       bough_output_member(error, "text", ""));
    }
    return error_code(error);
}

/* One exchange; what came in is in `received`, with its HTTP code. */
static int exchange(struct bough_client *client, const char *resource, const char *body,
                    int64_t wait_ms, struct received *received, long *http)
{
    CURL *curl = client->curl;
    struct curl_slist *headers =
        bough_curl.curl_slist_append(NULL, "Content-Type: application/json");
    char *url = NULL;
    CURLcode result = CURLE_OUT_OF_MEMORY;

    if (client->limit_ms > 0 && (wait_ms == 0 || wait_ms > client->limit_ms))
        wait_ms = client->limit_ms;
    bough_curl.curl_easy_reset(curl);
    received->curl = curl;
    headers = bough_curl.curl_slist_append(headers, "Expect:");
    if (headers != NULL && asprintf(&url, "http://bough%s", resource) >= 0) {
        bough_curl.curl_easy_setopt(curl, CURLOPT_URL, url);
        bough_curl.curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
        bough_curl.curl_easy_setopt(curl, CURLOPT_PROXY, "");
        bough_curl.curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        bough_curl.curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        bough_curl.curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                                    (long)CONNECT_WAIT_MS);
        bough_curl.curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)wait_ms);
        bough_curl.curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
        bough_curl.curl_easy_setopt(curl, CURLOPT_WRITEDATA, received);
        if (body != NULL) bough_curl.curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        result = perform(curl);
        free(url);
    }
    bough_curl.curl_slist_free_all(headers);
    if (result != CURLE_OK && !received->refused)
        return transport_failed(client, result, wait_ms);
    bough_curl.curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, http);
    return BOUGH_CODE_DONE;
}

static int ask(struct bough_client *client, const char *resource, const char *about,
               const char *body, int64_t wait_ms, json_t **answer)
{
    struct received received = { .data = NULL };
    json_t *json = NULL;
    long http = 0;
    int code = exchange(client, resource, body, wait_ms, &received, &http);

    if (code == BOUGH_CODE_DONE) {
        json = json_loadb(received.data != NULL ? received.data : "", received.size,
                          JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
        if (json == NULL || http >= 300) code = answer_failed(client, about, json, http);
    }
    free(received.data);
    if (code == BOUGH_CODE_DONE) {
        *answer = json;
    } else {
        json_decref(json);
    }
    return code;
}

int bough_client_get(struct bough_client *client, const char *resource, const char *about,
                     json_t **answer)
{
    return ask(client, resource, about, NULL, BOUGH_CLIENT_WAIT_MS, answer);
}

int bough_client_post(struct bough_client *client, const char *resource,
                      const char *about, json_t *body, int64_t wait_ms, json_t **answer)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    int code;

    json_decref(body);
    if (text == NULL) {
        bough_complain("out of memory");
        return BOUGH_CODE_FAILED;
    }
    code = ask(client, resource, about, text, wait_ms, answer);
    free(text);
    return code;
}

int bough_client_stream(struct bough_client *client, const char *resource,
                        const char *about, bool (*line)(void *data, const char *text),
                        void *data)
{
    struct received received = { .line = line, .line_data = data };
    long http = 0;
    int code = exchange(client, resource, NULL, 0, &received, &http);

    if (code == BOUGH_CODE_DONE && http != 200) {
        json_t *json = json_loads(received.data != NULL ? received.data : "", 0, NULL);

        code = answer_failed(client, about, json, http);
        json_decref(json);
    }
    free(received.data);
    return code;
}

char *bough_client_actor(const char *path, const char *action)
{
    char *resource = NULL;

    if (!bough_path_valid(path)) {
        bough_complain(
            "\"%s\" is not a path; paths begin with \"/\", as `bough status` shows "
            "them",
            path);
        return NULL;
    }
    if (asprintf(&resource, "/v1/actors%s%s%s", strcmp(path, "/") == 0 ? "" : path,
                 action != NULL ? "/" : "", action != NULL ? action : "") < 0) {
        bough_complain("out of memory");
        return NULL;
    }
    return resource;
}
