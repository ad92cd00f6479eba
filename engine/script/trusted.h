/* Lua that is trusted, with all its libraries and without limits: what runs the specs of authors
 * (`apogee test`) and writes their first files (`apogee new`). Actions and playbooks never run in
 * it: a test runs them in a process of their own, by the engine, in the sandbox.
 *
 * Modules that are part of the program are found by their names (kit.*, apogee.*), all others as
 * lua5.4 finds them. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

/* Calls the function that the module returns with one table: engine, the program's path; words; the
 * options that were given; and the functions
 *
 *   run(argv, env, input, limit_s)   -> { out =, err =, exit = | signal =, late = }; env is a list
 *                                       of "NAME=VALUE", nil: that of this process
 *   make_folder(path)                -> true
 *   make_temporary()                 -> the path of a new folder
 *   write_new(path, text)            -> true; never over what is there, nor through a link
 *   is_there(path)                   -> whether something has that name
 *
 * each of which but the last gives nil and a message where it fails. After SIGINT and the like what
 * runs is asked to end, and run fails: "interrupted". It returns the exit code and, where there is
 * something to say, a sentence. */
struct script_trusted {
  const char *module;
  const char *engine;
  const char *const *words;
  size_t word_count;
  const char *const *options; /* name, value, name, value...; a value of NULL is true */
  size_t option_count;        /* of pairs */
};

/* AP_OK: the exit code, with the sentence in err or "". AP_E_INVALID: what it raised. */
int script_trusted_run(const struct script_trusted *trusted, int *exit_code,
                       struct ap_error *err) AP_MUST_USE;
