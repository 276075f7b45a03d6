#!/usr/bin/env bash
#
# test_embed.sh - the example for embedders, built as a user would build it, does what it says.
#
# SPDX-License-Identifier: MIT

set -euo pipefail
# shellcheck source=tests/support/fact.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/fact.sh"

ends_well() {
    "$BOUGH_BUILD/tests/docs/embed" >"$work/said" </dev/null
}

says() {
    grep -qx "$1" "$work/said" || { cat "$work/said"; return 1; }
}

fact the_example_ends_well ends_well
fact the_counter_counts_from_where_it_began says 'ok: the count is 42'
fact the_tree_ends_in_order says 'the tree has ended: shutdown'
facts_end
