/* What a run may do to files, as the kernel sees to it (Landlock): it changes nothing outside of
 * the folders it writes to, and starts no other program. Reading is left to the permissions of the
 * files. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { CONFINE_FOLDERS_MAX = 8 };

/* The version of Landlock that this kernel speaks; 0: it has none, or it is switched off. */
int confine_version(void);

/* From now on this thread, and those it starts, changes files below the folders only, executes
 * none, and binds no TCP port unless `may_serve`. Folders that are not there, and NULL, are left
 * out; devices can be written. It cannot be undone. Without Landlock nothing happens.
 * @return the version that holds; 0: none
 */
int confine(const char *const *folders, size_t count, bool may_serve);
