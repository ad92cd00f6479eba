/* A file of another machine as a source. */
// SPDX-License-Identifier: Apache-2.0
#include "net/sftp_private.h"

static int source_read(void *self, net_source_data_fn *got, void *arg)
{
  return net_sftp_read(self, got, arg, NULL);
}

static void source_cancel(void *self)
{
  const struct net_sftp_file *file = self;
  if (file->read)
    net_sftp_cancel(file->read);
}

static int source_rewind(void *self)
{
  return net_sftp_rewind(self);
}

static void source_close(void *self)
{
  net_sftp_file_close(self);
}

struct net_source net_sftp_source(struct net_sftp_file *file)
{
  static const struct net_source_kind kind = {source_read, source_cancel, source_rewind,
                                              source_close};
  return (struct net_source){&kind, file, file->stat.size};
}
