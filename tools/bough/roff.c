/* roff.c - text for man(1): nothing in it is a request or an escape.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/tools/bough/roff.h>

#include <string.h>

/* What man pages are written in by people: linters complain about longer lines. */
enum { LINE = 72 };

void bough_roff_escaped(FILE *file, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\') {
            fputs("\\e", file);
        } else if (text[i] == '-') {
            fputs("\\-", file);
        } else if (text[i] == '|') {
            fputs("|\\:", file); /* a line may end between what one can choose from */
        } else {
            fputc(text[i], file);
        }
    }
}

static void print_line(FILE *file, const char *line, size_t length)
{
    if (length > 0 && (line[0] == '.' || line[0] == '\'')) fputs("\\&", file);
    bough_roff_escaped(file, line, length);
    fputc('\n', file);
}

void bough_roff_line(FILE *file, const char *text)
{
    print_line(file, text, strlen(text));
}

void bough_roff_lines(FILE *file, const char *lines)
{
    fputs(".nf\n", file);
    while (*lines != '\0') {
        const size_t length = strcspn(lines, "\n");

        print_line(file, lines, length);
        lines += length + (lines[length] == '\n');
    }
    fputs(".fi\n", file);
}

/* How much of the text goes on this line: as many words as fit, one at least; a line ends
 * with its sentence, for man puts the space behind it. */
static size_t line_length(const char *text)
{
    size_t length = 0;

    for (;;) {
        const size_t word = length + strcspn(text + length, " ");

        if (length > 0 && word > LINE) return length - 1;
        if (text[word] == '\0') return word;
        if (word > 1 && text[word - 1] == '.') return word;
        length = word + 1;
    }
}

void bough_roff_text(FILE *file, const char *text)
{
    while (*(text += strspn(text, " ")) != '\0') {
        const size_t length = line_length(text);

        print_line(file, text, length);
        text += length;
    }
}
