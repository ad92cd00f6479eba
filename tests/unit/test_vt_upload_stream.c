/* Uploads whose contents are found out on the way. */
// SPDX-License-Identifier: Apache-2.0
#include "relay.h"
#include "vt_upload_unit.h"
int main(void)
{
  return 0;
}
