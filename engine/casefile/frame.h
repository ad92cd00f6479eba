/* The file of a run that is kept: frames, one behind the other, each with a checksum. A process
 * that is killed leaves at most the last one in pieces; a reader ends before it. The file stays on
 * the machine that wrote it: numbers are in its own order of bytes. Inside the room only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/record.h"

enum case_frame_kind {
  CASE_FRAME_REQUEST = 1, /* JSON: what was asked for; the first frame */
  CASE_FRAME_ENTITY,      /* JSON: an entity as it was taken, in order */
  CASE_FRAME_STEP,        /* JSON: what is known of a step before it runs */
  CASE_FRAME_FINDING,     /* struct case_frame_finding, and what follows it */
  CASE_FRAME_WARNING,     /* JSON: { "step": name or null, "text": } */
  CASE_FRAME_STEP_END,    /* JSON: how a step ended */
  CASE_FRAME_END          /* JSON: how the run ended; there is one for each time it went on */
};

/* One entity in one step; the last one of both counts. Behind it lie the step's name, the entity's
 * identifier, and the pieces of struct case_entry. */
struct case_frame_finding {
  uint32_t step_len;
  uint32_t identifier_len;
  uint32_t object_len;
  uint32_t insights_len;
  uint32_t tables_len;
  uint32_t answer_len;
  int32_t detections;
  uint8_t type; /* enum case_type */
  uint8_t outcome;
  uint8_t flags; /* enum case_frame_flag */
  uint8_t zero;
  struct case_cost cost; /* of the step until then */
};

enum case_frame_flag {
  CASE_FRAME_RISKY = 1,
  CASE_FRAME_SUSPICIOUS = 2,
  CASE_FRAME_ENRICHED = 4,
  CASE_FRAME_WITH_REASON = 8,
  CASE_FRAME_NO_ENGINES = 16
};

/* Appends a frame whose data is made of parts. @param offset  of the data; may be NULL */
int case_frame_add(struct store_spool *spool, enum case_frame_kind kind,
                   const struct ap_slice *parts, size_t part_count, uint64_t *offset) AP_MUST_USE;

struct case_frames {
  struct store_spool *spool;
  uint64_t at;
  struct ap_buf buf;
};

struct case_frame {
  enum case_frame_kind kind;
  struct ap_slice data; /* until the next one is read */
  uint64_t offset;      /* of the data in the file */
};

/* AP_OK and the next frame; AP_E_NOT_FOUND: there is none that is whole, and frames->at is where
 * the whole ones end; AP_E_IO, AP_E_NO_MEMORY. */
int case_frames_next(struct case_frames *frames, struct case_frame *frame) AP_MUST_USE;
void case_frames_end(struct case_frames *frames);
