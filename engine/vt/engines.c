// SPDX-License-Identifier: Apache-2.0
#include "vt/engines.h"

#include <string.h>
#include <utlist.h>

#include "base/json.h"

enum { DETECTED, RESULT, VERSION, UPDATE, FIELD_COUNT };
static const char *const fields[FIELD_COUNT] = {"detected", "result", "version", "update"};

enum { NOT_DECODED = -1, TYPICAL_ENGINES = 80 };

struct engine {
  struct engine *next;   /* by name */
  struct ap_slice token; /* its name with the quotes; ptr NULL: it gave no verdict */
  struct ap_slice name;  /* decoded; in the token where it needs no decoding */
  ptrdiff_t decoded_at;  /* where its name begins among the decoded ones, or NOT_DECODED */
  bool detects;
  struct ap_slice values[FIELD_COUNT];
};

struct list {
  struct ap_buf items; /* of struct engine, in the report's order */
  struct ap_buf decoded;
  struct engine *first; /* by name */
};

static int by_name(const struct engine *a, const struct engine *b)
{
  size_t shorter = a->name.len < b->name.len ? a->name.len : b->name.len;
  int order = memcmp(a->name.ptr, b->name.ptr, shorter);
  if (order)
    return order;
  return (a->name.len > b->name.len) - (a->name.len < b->name.len);
}

/* ---- reading ---- */

/* Of a checked value the first byte tells the kind. */
static bool begins_with(struct ap_slice value, char first)
{
  return value.ptr && *value.ptr == first;
}

static void read_engine(struct ap_slice key, struct ap_json_walk *verdict, struct list *list,
                        struct engine *engine)
{
  engine->token = key;
  engine->name = (struct ap_slice){key.ptr + 1, key.len - 2};
  engine->decoded_at = NOT_DECODED;
  if (memchr(key.ptr, '\\', key.len)) {
    engine->decoded_at = (ptrdiff_t)list->decoded.len;
    ap_json_read_string(key, &list->decoded);
    engine->name.len = list->decoded.len - (size_t)engine->decoded_at;
  }
  engine->detects = false;
  if (verdict->is_object) {
    ap_json_read_many(verdict, fields, FIELD_COUNT, engine->values);
    engine->detects = begins_with(engine->values[DETECTED], 't');
  } else {
    engine->token.ptr = NULL; /* no verdict, but it may take an earlier one's place */
  }
}

/* In the report's order; now that the buffers grow no more, each knows its name and the next. */
static void link_up(struct list *list)
{
  struct engine *engines = (struct engine *)(void *)list->items.ptr;
  size_t count = list->items.len / sizeof(struct engine);
  for (size_t i = 0; i < count; i++) {
    engines[i].next = i + 1 < count ? &engines[i + 1] : NULL;
    if (engines[i].decoded_at != NOT_DECODED)
      engines[i].name.ptr = ap_buf_cstr(&list->decoded) + engines[i].decoded_at;
  }
  list->first = count ? engines : NULL;
}

/* A name that stands twice: the last one counts, as in every decoder. Sorting keeps the order of
 * equal names. */
static void drop_doubles(struct list *list)
{
  for (struct engine **at = &list->first; *at;) {
    if ((*at)->next && by_name(*at, (*at)->next) == 0)
      *at = (*at)->next;
    else
      at = &(*at)->next;
  }
}

static int read_list(struct ap_slice scans, struct list *list)
{
  struct ap_json_walk walk = ap_json_walk(scans);
  struct ap_json_walk verdict;
  (void)ap_buf_room(&list->items, TYPICAL_ENGINES * sizeof(struct engine));
  while (ap_json_next_inner(&walk, &verdict)) {
    void *room = ap_buf_room(&list->items, sizeof(struct engine));
    if (!room)
      return AP_E_NO_MEMORY;
    read_engine(walk.key, &verdict, list, room);
    list->items.len += sizeof(struct engine);
    ap_json_leave_inner(&walk, &verdict);
  }
  if (ap_buf_error(&list->decoded))
    return AP_E_NO_MEMORY;
  link_up(list);
  LL_SORT(list->first, by_name);
  drop_doubles(list);
  return AP_OK;
}

/* ---- writing ---- */

static char *write_bytes(char *at, const char *bytes, size_t len)
{
  memcpy(at, bytes, len);
  return at + len;
}

/* A text as it is, a number as text, anything else as an empty one. */
static char *write_text(char *at, struct ap_slice value)
{
  *at++ = ',';
  if (begins_with(value, '"'))
    return write_bytes(at, value.ptr, value.len);
  *at++ = '"';
  if (value.ptr && ap_json_kind(value) == AP_JSON_NUMBER)
    at = write_bytes(at, value.ptr, value.len);
  *at++ = '"';
  return at;
}

static void write_row(const struct engine *engine, struct ap_buf *out)
{
  static const char frame[] = ",[,false,\"\",\"\",\"\"]";
  const struct ap_slice *values = engine->values;
  char *room = ap_buf_room(out, sizeof(frame) + engine->token.len + values[RESULT].len +
                                    values[VERSION].len + values[UPDATE].len);
  if (!room)
    return;
  char *at = room;
  if (out->len > 1)
    *at++ = ',';
  *at++ = '[';
  at = write_bytes(at, engine->token.ptr, engine->token.len);
  at = engine->detects ? write_bytes(at, ",true", 5) : write_bytes(at, ",false", 6);
  at = write_text(at, values[RESULT]);
  at = write_text(at, values[VERSION]);
  at = write_text(at, values[UPDATE]);
  *at++ = ']';
  *at = '\0';
  out->len += (size_t)(at - room);
}

static void write_rows(const struct list *list, bool detecting, struct ap_buf *out)
{
  for (const struct engine *engine = list->first; engine; engine = engine->next)
    if (engine->token.ptr && engine->detects == detecting)
      write_row(engine, out);
}

int vt_engines_read(struct ap_slice scans, struct vt_engines *engines,
                    void (*name)(void *arg, struct ap_slice text), void *arg)
{
  struct list list = {0};
  *engines = (struct vt_engines){0};
  if (!scans.ptr || ap_json_kind(scans) != AP_JSON_OBJECT)
    return AP_E_NOT_FOUND;
  int rc = read_list(scans, &list);
  if (rc == AP_OK) {
    for (const struct engine *engine = list.first; engine; engine = engine->next) {
      engines->total += engine->token.ptr != NULL;
      if (!engine->token.ptr || !engine->detects)
        continue;
      engines->detecting++;
      name(arg, engine->name);
    }
    (void)ap_buf_room(&engines->rows, scans.len); /* they say less */
    ap_buf_add_char(&engines->rows, '[');
    write_rows(&list, true, &engines->rows);
    write_rows(&list, false, &engines->rows);
    ap_buf_add_char(&engines->rows, ']');
    rc = ap_buf_error(&engines->rows);
  }
  ap_buf_deinit(&list.items);
  ap_buf_deinit(&list.decoded);
  return rc;
}
