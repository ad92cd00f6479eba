/* How the body of a report is kept: compressed, for JSON of sixty engines says the same things over
 * and over, and what is not written need not be waited for. */
// SPDX-License-Identifier: Apache-2.0
#include <zstd.h>

#include "store/disk_private.h"

enum { LEVEL = 1 /* the fastest: higher ones spare little of so short texts */ };

int disk_body_pack(struct disk *disk, struct ap_slice body, struct ap_buf *packed)
{
  if (!disk->packer) {
    disk->packer = ZSTD_createCCtx();
    if (!disk->packer)
      return AP_E_NO_MEMORY;
    (void)ZSTD_CCtx_setParameter(disk->packer, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(disk->packer, ZSTD_c_checksumFlag, 1); /* a damaged disk shows */
  }
  size_t room = ZSTD_compressBound(body.len);
  char *at = ap_buf_room(packed, room);
  if (!at)
    return ap_buf_error(packed);
  size_t len = ZSTD_compress2(disk->packer, at, room, body.ptr, body.len);
  if (ZSTD_isError(len))
    return AP_E_NO_MEMORY; /* the one way in which it fails with room enough */
  packed->len += len;
  return AP_OK;
}

int disk_body_unpack(struct disk *disk, struct ap_slice packed, int64_t size, struct ap_buf *body)
{
  if (!disk->unpacker)
    disk->unpacker = ZSTD_createDCtx();
  if (!disk->unpacker)
    return AP_E_NO_MEMORY;
  if (size < 0 || size > DISK_BODY_MAX)
    return AP_E_NOT_FOUND;
  char *at = ap_buf_room(body, (size_t)size);
  if (!at)
    return ap_buf_error(body);
  size_t len = ZSTD_decompressDCtx(disk->unpacker, at, (size_t)size, packed.ptr, packed.len);
  if (ZSTD_isError(len) || len != (size_t)size)
    return AP_E_NOT_FOUND;
  body->len += len;
  return AP_OK;
}

void disk_body_free(struct disk *disk)
{
  (void)ZSTD_freeCCtx(disk->packer);
  (void)ZSTD_freeDCtx(disk->unpacker);
}
