// SPDX-License-Identifier: Apache-2.0
#include "casefile/frame.h"

#include <libdeflate.h>
#include <string.h>

enum { FRAME_MAGIC = 0x31467041 /* "ApF1": the 1 is the version */ };

struct head {
  uint32_t magic;
  uint32_t kind;
  uint32_t len;
  uint32_t crc; /* of kind, len and the data */
};

static uint32_t crc_of_head(const struct head *head)
{
  return libdeflate_crc32(0, &head->kind, 2 * sizeof(uint32_t));
}

static uint32_t crc_of_more(uint32_t crc, struct ap_slice bytes)
{
  return bytes.len ? libdeflate_crc32(crc, bytes.ptr, bytes.len) : crc;
}

int case_frame_add(struct store_spool *spool, enum case_frame_kind kind,
                   const struct ap_slice *parts, size_t part_count, uint64_t *offset)
{
  struct head head = {.magic = FRAME_MAGIC, .kind = kind};
  size_t len = 0;
  for (size_t i = 0; i < part_count; i++)
    len += parts[i].len;
  if (len > UINT32_MAX)
    return AP_E_TOO_LARGE;
  head.len = (uint32_t)len;
  head.crc = crc_of_head(&head);
  for (size_t i = 0; i < part_count; i++)
    head.crc = crc_of_more(head.crc, parts[i]);
  uint64_t at = 0;
  int rc = store_spool_append(spool, &head, sizeof(head), &at);
  if (offset)
    *offset = at + sizeof(head);
  for (size_t i = 0; rc == AP_OK && i < part_count; i++)
    rc = store_spool_append(spool, parts[i].ptr, parts[i].len, &at);
  return rc;
}

static int read_bytes(struct case_frames *frames, uint64_t at, size_t len)
{
  ap_buf_clear(&frames->buf);
  if (at + len > store_spool_size(frames->spool))
    return AP_E_NOT_FOUND;
  return store_spool_read(frames->spool, at, len, &frames->buf);
}

int case_frames_next(struct case_frames *frames, struct case_frame *frame)
{
  struct head head;
  int rc = read_bytes(frames, frames->at, sizeof(head));
  if (rc != AP_OK)
    return rc;
  memcpy(&head, frames->buf.ptr, sizeof(head));
  if (head.magic != FRAME_MAGIC)
    return AP_E_NOT_FOUND;
  uint64_t offset = frames->at + sizeof(head);
  rc = read_bytes(frames, offset, head.len);
  if (rc != AP_OK)
    return rc;
  if (crc_of_more(crc_of_head(&head), ap_slice_of(&frames->buf)) != head.crc)
    return AP_E_NOT_FOUND;
  *frame = (struct case_frame){
      .kind = (enum case_frame_kind)head.kind, .data = ap_slice_of(&frames->buf), .offset = offset};
  frames->at = offset + head.len;
  return AP_OK;
}

void case_frames_end(struct case_frames *frames)
{
  ap_buf_deinit(&frames->buf);
}
