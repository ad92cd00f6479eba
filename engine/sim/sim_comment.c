// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_comment.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "sim/sim_data.h"
#include "sim/sim_internal.h"
#include "sim/sim_write.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { PAGE_MAX = 25, KEPT_MAX = 1000, DERIVED_MAX = 40 };

struct comment {
  char id[65]; /* of the file or URL it is about */
  int64_t date_s;
  char *text;
  struct comment *prev;
  struct comment *next;
};

struct sim_comments {
  struct comment *newest;
  size_t count;
};

int sim_comments_new(struct sim_comments **out)
{
  *out = calloc(1, sizeof(**out));
  return *out ? AP_OK : AP_E_NO_MEMORY;
}

static void drop(struct sim_comments *comments, struct comment *comment)
{
  DL_DELETE(comments->newest, comment);
  comments->count--;
  free(comment->text);
  free(comment);
}

void sim_comments_free(struct sim_comments *comments)
{
  if (!comments)
    return;
  while (comments->newest)
    drop(comments, comments->newest);
  free(comments);
}

static bool has_comment(const struct sim_comments *comments, const char *id, const char *text)
{
  const struct comment *comment = NULL;
  DL_FOREACH(comments->newest, comment)
  if (strcmp(comment->id, id) == 0 && strcmp(comment->text, text) == 0)
    return true;
  return false;
}

static bool add_comment(struct sim_comments *comments, const char *id, const char *text)
{
  struct comment *comment = calloc(1, sizeof(*comment));
  char *copy = ap_memdup(text, strlen(text));
  if (!comment || !copy) {
    free(comment);
    free(copy);
    return false;
  }
  memcpy(comment->id, id, sizeof(comment->id));
  comment->date_s = ap_clock_unix_ms() / 1000;
  comment->text = copy;
  DL_PREPEND(comments->newest, comment);
  if (++comments->count > KEPT_MAX)
    drop(comments, comments->newest->prev);
  return true;
}

static bool identify(struct sim *sim, struct ap_slice item, char id[65], bool *is_known)
{
  return sim_file_identify(sim, item, id, is_known) || sim_url_identify(sim, item, id, is_known);
}

static void write_verdict(const struct sim_call *call, struct ap_buf *out, int code,
                          const char *text)
{
  sim_write_open(out, NULL, '{');
  sim_write_int(out, "response_code", code);
  sim_write_text(out, "verbose_msg", sim_call_says(call, text));
  sim_write_close(out, '}');
}

void sim_comments_put(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  struct sim *sim = call->sim;
  const char *text = ap_buf_cstr(&call->request->args[SIM_ARG_COMMENT]);
  char id[65];
  bool is_known = false;
  if (!identify(sim, item, id, &is_known))
    write_verdict(call, out, 0, "Invalid resource");
  else if (!is_known && !sim_call_is_forced(call))
    write_verdict(call, out, 0, "Could not find resource");
  else if (has_comment(sim->comments, id, text))
    write_verdict(call, out, 0, "Duplicate comment");
  else if (add_comment(sim->comments, id, text))
    write_verdict(call, out, 1, "Your comment was successfully posted");
  else
    call->status = 500;
}

/* ---- reading ---- */

struct page {
  struct ap_buf *out;
  int64_t before_s; /* only older ones are shown */
  unsigned left;
};

static void show(struct page *page, int64_t date_s, const char *text)
{
  char stamp[SIM_DATE_TEXT];
  if (page->left == 0 || date_s >= page->before_s)
    return;
  page->left--;
  sim_format_stamp(date_s, stamp);
  sim_write_open(page->out, NULL, '{');
  sim_write_text(page->out, "date", stamp);
  sim_write_text(page->out, "comment", text);
  sim_write_close(page->out, '}');
}

/* Half of all resources have comments, a few more than a page of them. */
static void show_derived(struct page *page, const char *id, int64_t midnight_s)
{
  static const char *const texts[] = {
      "Seen in a phishing mail with an invoice. #phishing",
      "C2 at 192.0.2.14, see also @example",
      "False positive: this is our installer.",
      "#malware #dropper\nDrops a second stage into %APPDATA%.",
      "Looks clean to me \xe2\x9c\x93",
  };
  struct sim_rng rng = sim_rng_of("comments", id);
  unsigned count = sim_rng_chance(&rng, 50) ? 1 + sim_rng_below(&rng, DERIVED_MAX) : 0;
  int64_t date_s = midnight_s;
  for (unsigned i = 0; i < count; i++) {
    date_s -= 1 + (int64_t)sim_rng_below(&rng, 10U * 86400);
    show(page, date_s, sim_rng_pick(&rng, texts, COUNT_OF(texts)));
  }
}

void sim_comments_get(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  struct sim *sim = call->sim;
  char id[65];
  bool is_known = false;
  struct ap_slice before = sim_request_arg(call->request, SIM_ARG_BEFORE);
  struct page page = {out, INT64_MAX, PAGE_MAX};
  if (before.len && ap_clock_parse_utc(before.ptr, before.len, &page.before_s))
    page.before_s = INT64_MAX;
  bool is_found = identify(sim, item, id, &is_known) && (is_known || sim_call_is_forced(call));
  sim_write_open(out, NULL, '{');
  sim_write_int(out, "response_code", is_found ? 1 : 0);
  sim_write_text(out, "verbose_msg",
                 sim_call_says(call, is_found ? "Resource found, comments, if any, returned here"
                                              : "Could not find resource"));
  sim_write_slice(out, "resource", item);
  if (is_found) {
    const struct comment *comment = NULL;
    sim_write_open(out, "comments", '[');
    DL_FOREACH(sim->comments->newest, comment)
    if (strcmp(comment->id, id) == 0)
      show(&page, comment->date_s, comment->text);
    show_derived(&page, id, sim->midnight_s);
    sim_write_close(out, ']');
  }
  sim_write_close(out, '}');
}
