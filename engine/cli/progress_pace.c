// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

enum { FIRST_MS = 10000, FIRST_ENTITIES = 3 };

/* The wait for quota belongs to what the entities before it took: 4 in a second and 59 seconds of
 * waiting are 4 a minute. So while there is quota the pace is that of the last wait. */
static int64_t reckon(const struct progress_pace *pace, const struct progress_state *state,
                      int64_t now_unix_ms)
{
  const struct vt_standing *standing = &state->standing;
  bool is_out = standing->waiting_for == VT_WAITS_QUOTA;
  int64_t until_ms =
      is_out && standing->until_unix_ms > now_unix_ms ? standing->until_unix_ms : now_unix_ms;
  int64_t took_ms = until_ms - pace->began_ms;
  uint64_t gained = state->done > pace->done ? state->done - pace->done : 0;
  uint64_t left = state->of > state->done ? state->of - state->done : 0;
  bool is_too_much = standing->knows_quota && standing->day_left < left;
  if (left == 0 || gained < FIRST_ENTITIES || took_ms < FIRST_MS || is_too_much)
    return 0;
  return until_ms + (int64_t)((double)took_ms * (double)left / (double)gained);
}

int64_t progress_pace_note(struct progress_pace *pace, const struct progress_state *state,
                           int64_t now_unix_ms)
{
  bool is_out = state->standing.waiting_for == VT_WAITS_QUOTA;
  if (!pace->has_begun && state->of)
    *pace = (struct progress_pace){
        .has_begun = true, .began_ms = now_unix_ms, .done = state->done, .of = state->of};
  if (!pace->has_begun)
    return 0;
  if (is_out || !pace->was_out || state->of != pace->of)
    pace->ends_unix_ms = reckon(pace, state, now_unix_ms);
  pace->was_out = pace->was_out || is_out;
  pace->of = state->of;
  return pace->ends_unix_ms > now_unix_ms ? pace->ends_unix_ms : 0;
}
