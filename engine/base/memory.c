// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <unistd.h>

void ap_out_of_memory(void)
{
  enum { EXIT_LIMIT = 6 };
  static const char text[] = "apogee: out of memory\n";
  if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
    _exit(EXIT_LIMIT); /* standard error is gone: nobody to tell */
  _exit(EXIT_LIMIT);
}
