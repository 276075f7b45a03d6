# library_manual.awk - libbough(3), made from the headers that users get.
#
# usage: awk -v version=0.1.0 -v date=2026-11-27 -f library_manual.awk HEAD HEADER...
#
# HEAD is the beginning of the page, from its first section on. Of each header: what it is
# about, then each function with the comment above it. Comments are text, broken into
# paragraphs by empty lines; what is indented in them is code, left as it is.
#
# SPDX-License-Identifier: MIT

function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    if (text ~ /^[.']/) text = "\\&" text
    return text
}

# The text of a comment, line by line: paragraphs, and code.
function print_comment(text,    lines, count, i, line, code, gap) {
    count = split(text, lines, "\n")
    for (i = 1; i <= count; i++) {
        line = lines[i]
        if (line ~ /^ *$/) {
            gap = 1
            continue
        }
        if (line ~ /^   +[^ ]/ && (gap || code)) {
            if (gap && !code) print ".PP"
            if (gap && code) print ""
            if (!code) print ".nf"
            code = 1
        } else {
            if (code) print ".fi"
            if (gap) print ".PP"
            code = 0
            sub(/^ +/, "", line)
        }
        gap = 0
        print escaped(line)
    }
    if (code) print ".fi"
}

# What was declared since the last empty line, and the comment above it.
function flush_declarations(    i) {
    if (declared == 0) return
    print ".PP\n.nf"
    for (i = 1; i <= declared; i++) print ".B " quoted(declarations[i])
    print ".fi"
    if (comment != "") {
        print ".RS 4"
        print_comment(comment)
        print ".RE"
    }
    declared = 0
}

function quoted(text) {
    text = escaped(text)
    gsub(/"/, "\\(dq", text)
    return "\"" text "\""
}

# A declaration as a user writes it: on one line, without what the compiler alone is told.
function declare(text) {
    gsub(/BOUGH_PUBLIC|BOUGH_CHECKED/, " ", text)
    gsub(/__attribute__\(\([^;]*\)\)/, " ", text)
    gsub(/[ \t\n]+/, " ", text)
    sub(/^ /, "", text)
    sub(/ *[{].*$/, ";", text)
    sub(/ ;$/, ";", text)
    if (text !~ /bough_/) return
    declarations[++declared] = text
}

function add_comment_line(line) {
    sub(/^ ?\* ?/, "", line)
    if (line ~ /SPDX-License-Identifier/) return
    comment = comment (comment == "" ? "" : "\n") line
}

# The first comment of a header begins with its name.
function end_comment(    text) {
    sub(/[ \n]+$/, "", comment)
    if (started) return
    started = 1
    text = comment
    sub(/^[a-z_]+\.h - /, "", text)
    print ".SS <bough/" room "/" base ">"
    print_comment(toupper(substr(text, 1, 1)) substr(text, 2))
    comment = ""
}

FNR == 1 {
    flush_declarations()
    in_head = ++file_count == 1
    started = in_comment = in_declaration = 0
    comment = ""
    count_of_parts = split(FILENAME, parts, "/")
    base = parts[count_of_parts]
    room = FILENAME
    sub(/\/[^\/]*$/, "", room)
    match(room, /(core|supervisor|actors|config)(\/process)?$/)
    room = substr(room, RSTART)
}

in_head && FNR == 1 {
    printf ".TH LIBBOUGH 3 \"%s\" \"bough %s\" \"Bough\"\n", date, version
}

in_head {
    if ($0 !~ /^\.\\"/) print
    next
}

in_comment {
    line = $0
    ended = sub(/ *\*\/.*$/, "", line)
    add_comment_line(line)
    if (ended) {
        in_comment = 0
        end_comment()
    }
    next
}

/^\/\*/ {
    flush_declarations()
    comment = ""
    line = $0
    sub(/^\/\*/, "", line)
    ended = sub(/ *\*\/.*$/, "", line)
    sub(/^ /, "", line)
    add_comment_line(line)
    in_comment = !ended
    if (ended) end_comment()
    next
}

/^$/ && !in_declaration {
    flush_declarations()
    comment = ""
    next
}

/^(BOUGH_PUBLIC|static inline)/ {
    declaration = ""
    in_declaration = 1
}

in_declaration {
    declaration = declaration " " $0
    if ($0 ~ /;$/ || $0 ~ /[{]/) {
        in_declaration = 0
        declare(declaration)
    }
}

END {
    flush_declarations()
    print ".SH SEE ALSO\n.BR bough (1),\n.BR bough.json (5)"
}
