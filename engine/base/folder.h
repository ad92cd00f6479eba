/* Folders of our own. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

/* Makes a folder with those above it that are missing, each for its owner only (0700). What is
 * there already stays as it is. Returns 0 or an errno; ENOENT for "". */
int ap_folder_make(const char *path);
