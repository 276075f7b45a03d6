/* library.c - see library.h.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/library.h>

#include <dlfcn.h>
#include <string.h>

bool bough_library_load(const char *name, const struct bough_library_function *functions,
                        size_t count, void *table, const char **why)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    bool all = library != NULL;

    for (size_t i = 0; all && i < count; i++) {
        void *function = dlsym(library, functions[i].name);

        all = function != NULL;
        memcpy((char *)table + functions[i].at, &function, sizeof(function));
    }
    if (!all) *why = dlerror();
    return all;
}
