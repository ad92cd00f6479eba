// SPDX-License-Identifier: Apache-2.0
#include "vt/engines.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { DETECTED, RESULT, VERSION, UPDATE, FIELD_COUNT };
static const char *const fields[FIELD_COUNT] = {"detected", "result", "version", "update"};

enum { NOT_DECODED = -1 };

struct engine {
  struct ap_slice token; /* its name with the quotes; ptr NULL: it gave no verdict */
  struct ap_slice name;  /* decoded; in the token where it needs no decoding */
  ptrdiff_t decoded_at;  /* where its name begins among the decoded ones, or NOT_DECODED */
  size_t place;
  struct ap_slice values[FIELD_COUNT];
};

struct list {
  struct ap_buf items; /* of struct engine */
  struct ap_buf decoded;
};

static struct engine *engines_of(const struct list *list)
{
  return (struct engine *)(void *)list->items.ptr;
}

static size_t count_of(const struct list *list)
{
  return list->items.len / sizeof(struct engine);
}

static int by_name(const void *left, const void *right)
{
  const struct engine *a = left;
  const struct engine *b = right;
  size_t shorter = a->name.len < b->name.len ? a->name.len : b->name.len;
  int order = memcmp(a->name.ptr, b->name.ptr, shorter);
  if (order)
    return order;
  if (a->name.len != b->name.len)
    return a->name.len < b->name.len ? -1 : 1;
  return a->place < b->place ? -1 : a->place > b->place;
}

static bool detects(const struct engine *engine)
{
  return ap_slice_is(ap_json_trim(engine->values[DETECTED]), "true");
}

/* ---- reading ---- */

static struct engine read_engine(const struct ap_json_walk *walk, struct list *list)
{
  struct engine engine = {.token = walk->key, .decoded_at = NOT_DECODED, .place = count_of(list)};
  engine.name = (struct ap_slice){walk->key.ptr + 1, walk->key.len - 2};
  if (memchr(walk->key.ptr, '\\', walk->key.len)) {
    engine.decoded_at = (ptrdiff_t)list->decoded.len;
    ap_json_read_string(walk->key, &list->decoded);
    engine.name.len = list->decoded.len - (size_t)engine.decoded_at;
  }
  if (ap_json_kind(walk->value) == AP_JSON_OBJECT)
    ap_json_get_many(walk->value, fields, FIELD_COUNT, engine.values);
  else
    engine.token.ptr = NULL; /* no verdict, but it may take an earlier one's place */
  return engine;
}

/* A name that stands twice: the last one counts, as in every decoder. */
static void drop_doubles(struct list *list)
{
  struct engine *engines = engines_of(list);
  size_t count = count_of(list);
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    const struct ap_slice name = engines[i].name;
    bool is_double = i + 1 < count && engines[i + 1].name.len == name.len &&
                     memcmp(engines[i + 1].name.ptr, name.ptr, name.len) == 0;
    if (!is_double)
      engines[kept++] = engines[i];
  }
  list->items.len = kept * sizeof(struct engine);
}

static int read_list(struct ap_slice scans, struct list *list)
{
  struct ap_json_walk walk = ap_json_walk(scans);
  while (ap_json_next(&walk)) {
    struct engine engine = read_engine(&walk, list);
    ap_buf_add(&list->items, &engine, sizeof(engine));
  }
  if (ap_buf_error(&list->items) || ap_buf_error(&list->decoded))
    return AP_E_NO_MEMORY;
  struct engine *engines = engines_of(list);
  for (size_t i = 0; i < count_of(list); i++)
    if (engines[i].decoded_at != NOT_DECODED)
      engines[i].name.ptr = ap_buf_cstr(&list->decoded) + engines[i].decoded_at;
  if (engines)
    qsort(engines, count_of(list), sizeof(*engines), by_name);
  drop_doubles(list);
  return AP_OK;
}

/* ---- writing ---- */

static void write_text(struct ap_buf *out, struct ap_slice value)
{
  ap_buf_add_char(out, ',');
  enum ap_json_kind kind = value.ptr ? ap_json_kind(value) : AP_JSON_NULL;
  if (kind == AP_JSON_STRING) {
    ap_buf_add(out, value.ptr, value.len);
  } else if (kind == AP_JSON_NUMBER) {
    ap_buf_add_char(out, '"');
    ap_buf_add(out, value.ptr, value.len);
    ap_buf_add_char(out, '"');
  } else {
    ap_buf_add_str(out, "\"\"");
  }
}

static void write_rows(const struct list *list, bool detecting, struct ap_buf *out)
{
  for (size_t i = 0; i < count_of(list); i++) {
    const struct engine *engine = &engines_of(list)[i];
    if (!engine->token.ptr || detects(engine) != detecting)
      continue;
    ap_buf_add_str(out, out->len > 1 ? ",[" : "[");
    ap_buf_add(out, engine->token.ptr, engine->token.len);
    ap_buf_add_str(out, detecting ? ",true" : ",false");
    write_text(out, engine->values[RESULT]);
    write_text(out, engine->values[VERSION]);
    write_text(out, engine->values[UPDATE]);
    ap_buf_add_char(out, ']');
  }
}

int vt_engines_read(struct ap_slice report, struct vt_engines *engines,
                    void (*name)(void *arg, struct ap_slice text), void *arg)
{
  struct ap_slice scans;
  struct list list = {0};
  *engines = (struct vt_engines){0};
  if (!ap_json_get(report, "scans", &scans) || ap_json_kind(scans) != AP_JSON_OBJECT)
    return AP_E_NOT_FOUND;
  int rc = read_list(scans, &list);
  if (rc == AP_OK) {
    for (size_t i = 0; i < count_of(&list); i++) {
      const struct engine *engine = &engines_of(&list)[i];
      engines->total += engine->token.ptr != NULL;
      if (!engine->token.ptr || !detects(engine))
        continue;
      engines->detecting++;
      name(arg, engine->name);
    }
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
