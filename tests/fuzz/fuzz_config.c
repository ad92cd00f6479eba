/* A configuration file: Lua that returns one table, and what its keys are taken for. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/config.h"
#include "cli/config_keys.h"
#include "fuzz.h"
#include "script/data.h"

static void show(const struct cli_config *config)
{
  static FILE *nowhere;
  if (!nowhere)
    nowhere = fopen("/dev/null", "w");
  ap_require(nowhere);
  cli_config_print(config, nowhere);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char name[] = "/nowhere/config.lua";
  struct ap_slice text = {(const char *)data, size};
  struct cli_config config;
  struct ap_value root = {0};
  struct ap_error err = {0};
  ap_require(cli_config_init(&config, &err) == AP_OK);
  int rc = script_data_parse(name, text, &root, &err);
  if (rc == AP_OK)
    rc = cli_config_read_table(&config, name, &root, &err);
  ap_require(rc == AP_OK || strncmp(err.text, name, strlen(name)) == 0 ||
             strncmp(err.text, "...", 3) == 0);
  if (rc == AP_OK)
    show(&config);
  ap_value_deinit(&root);
  cli_config_deinit(&config);
  return 0;
}
