/* Hash tables: uthash, with an end of our own when memory is out. By itself it would call exit().
 */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/memory.h"

#define uthash_fatal(msg) ap_out_of_memory()
#include <uthash.h>
