// SPDX-License-Identifier: Apache-2.0
#include "casefile/casefile.h"

#include <stdlib.h>
#include <string.h>

/* Out of memory is an error like others: the element is then not in the table, its hh.tbl NULL. */
#define HASH_NONFATAL_OOM 1
#include "base/table.h"

#include "base/digest.h"
#include "casefile/case_private.h"
#include "casefile/indicator.h"
#include "casefile/notes.h"
#include "casefile/tlp.h"

enum { BLOCK_SLOTS = 512, MALFORMED_TABLE = CASE_TYPE_COUNT, SHOWN_MAX_BYTES = 256 };

struct case_slot {
  struct case_entity entity;
  UT_hash_handle hh;
  uint32_t index;
};

struct alias {
  const char *text;
  uint32_t next; /* index + 1; 0: the last */
};

int casefile_new(uint32_t max_entities, struct casefile **out)
{
  struct casefile *cf = calloc(1, sizeof(*cf));
  if (!cf)
    return AP_E_NO_MEMORY;
  cf->max = max_entities ? max_entities : UINT32_MAX;
  ap_random_bytes(&cf->seed, sizeof(cf->seed));
  *out = cf;
  return AP_OK;
}

static struct case_slot **blocks_of(const struct casefile *cf)
{
  return (struct case_slot **)(void *)cf->blocks.ptr;
}

void casefile_free(struct casefile *cf)
{
  if (!cf)
    return;
  for (size_t i = 0; i <= MALFORMED_TABLE; i++)
    HASH_CLEAR(hh, cf->tables[i]);
  for (size_t i = 0; i < cf->blocks.len / sizeof(struct case_slot *); i++)
    free(blocks_of(cf)[i]);
  ap_buf_deinit(&cf->blocks);
  ap_buf_deinit(&cf->aliases);
  ap_buf_deinit(&cf->notes);
  ap_buf_deinit(&cf->text);
  ap_buf_deinit(&cf->original);
  ap_buf_deinit(&cf->key);
  case_arena_deinit(&cf->arena);
  free(cf);
}

uint32_t casefile_count(const struct casefile *cf)
{
  return cf->count;
}

static struct case_slot *slot_at(const struct casefile *cf, uint32_t index)
{
  return &blocks_of(cf)[index / BLOCK_SLOTS][index % BLOCK_SLOTS];
}

struct case_entity *casefile_entity(struct casefile *cf, uint32_t index)
{
  ap_require(index < cf->count);
  return &slot_at(cf, index)->entity;
}

/* ---- finding and making slots ---- */

static unsigned hash_of(uint64_t seed, const char *key, size_t len)
{
  uint64_t hash = seed ^ len;
  while (len) {
    uint64_t word = 0;
    size_t bytes = len < sizeof(word) ? len : sizeof(word);
    memcpy(&word, key, bytes);
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 29;
    key += bytes;
    len -= bytes;
  }
  hash *= UINT64_C(0xbf58476d1ce4e5b9);
  return (unsigned)(hash >> 32);
}

static struct case_slot *find_slot(const struct casefile *cf, unsigned table)
{
  struct case_slot *slot = NULL;
  const char *key = ap_buf_cstr(&cf->key);
  unsigned hash = hash_of(cf->seed, key, cf->key.len);
  HASH_FIND_BYHASHVALUE(hh, cf->tables[table], key, cf->key.len, hash, slot);
  return slot;
}

static struct case_slot *next_slot(struct casefile *cf)
{
  if (cf->count % BLOCK_SLOTS == 0 &&
      cf->count / BLOCK_SLOTS == cf->blocks.len / sizeof(struct case_slot *)) {
    struct case_slot *block = calloc(BLOCK_SLOTS, sizeof(*block));
    if (!block)
      return NULL;
    ap_buf_add(&cf->blocks, &block, sizeof(struct case_slot *));
    if (ap_buf_error(&cf->blocks)) {
      free(block);
      return NULL;
    }
  }
  return slot_at(cf, cf->count);
}

static int out_of_memory(struct ap_error *err)
{
  return ap_fail(err, AP_E_NO_MEMORY, "out of memory for the entities");
}

/* Makes a slot for cf->key; the strings of `entity` are copied but for `malformed`. */
static int add_slot(struct casefile *cf, unsigned table, const struct case_entity *entity,
                    const struct case_entity_input *input, uint32_t *index, struct ap_error *err)
{
  if (cf->count >= cf->max)
    return ap_fail(err, AP_E_TOO_LARGE,
                   "more than %u entities: raise limits.entities in the configuration file, or "
                   "split the input",
                   cf->max);
  struct case_slot *slot = next_slot(cf);
  if (!slot)
    return out_of_memory(err);
  struct case_entity kept = *entity;
  kept.identifier = casefile_keep(cf, entity->identifier);
  bool is_key = ap_slice_is(ap_slice_of(&cf->key), entity->identifier);
  const char *key = is_key ? kept.identifier : case_arena_add(&cf->arena, cf->key.ptr, cf->key.len);
  if (entity->original_identifier)
    kept.original_identifier = casefile_keep(cf, entity->original_identifier);
  if (!kept.identifier || !key || (entity->original_identifier && !kept.original_identifier))
    return out_of_memory(err);
  kept.source = input->source;
  kept.line = input->line;
  *slot = (struct case_slot){.entity = kept, .index = cf->count};
  unsigned hash = hash_of(cf->seed, key, cf->key.len);
  HASH_ADD_KEYPTR_BYHASHVALUE(hh, cf->tables[table], key, cf->key.len, hash, slot);
  if (!slot->hh.tbl)
    return out_of_memory(err);
  *index = cf->count++;
  return AP_OK;
}

const char *casefile_keep(struct casefile *cf, const char *text)
{
  return case_arena_add(&cf->arena, text, strlen(text));
}

/* ---- aliases ---- */

static struct alias *alias_at(const struct casefile *cf, uint32_t number)
{
  return (struct alias *)(void *)cf->aliases.ptr + (number - 1);
}

static int add_alias(struct casefile *cf, struct case_entity *entity, const char *text)
{
  if (strcmp(text, entity->identifier) == 0 ||
      (entity->original_identifier && strcmp(text, entity->original_identifier) == 0))
    return AP_OK;
  uint32_t last = 0;
  size_t kept = 0;
  for (uint32_t at = entity->alias_head; at; at = alias_at(cf, at)->next) {
    if (strcmp(text, alias_at(cf, at)->text) == 0)
      return AP_OK;
    last = at;
    kept++;
  }
  if (kept >= CASE_ALIASES_KEPT)
    return AP_OK;
  struct alias alias = {.text = casefile_keep(cf, text)};
  if (!alias.text)
    return AP_E_NO_MEMORY;
  ap_buf_add(&cf->aliases, &alias, sizeof(alias));
  if (ap_buf_error(&cf->aliases))
    return ap_buf_error(&cf->aliases);
  uint32_t number = (uint32_t)(cf->aliases.len / sizeof(alias));
  if (last)
    alias_at(cf, last)->next = number;
  else
    entity->alias_head = number;
  return AP_OK;
}

void casefile_aliases(const struct casefile *cf, uint32_t index,
                      void (*visit)(void *arg, const char *alias), void *arg)
{
  ap_require(index < cf->count);
  for (uint32_t at = slot_at(cf, index)->entity.alias_head; at; at = alias_at(cf, at)->next)
    visit(arg, alias_at(cf, at)->text);
}

/* ---- the TLP ---- */

void casefile_set_tlp(struct casefile *cf, const char *tlp)
{
  cf->tlp = tlp;
}

const char *casefile_tlp_of(struct casefile *cf, const char *text)
{
  const char *strictest = NULL;
  size_t len = strlen(text);
  for (unsigned type = 0; cf->has_tlp && type < CASE_TYPE_COUNT; type++) {
    if (!cf->tables[type])
      continue;
    ap_buf_clear(&cf->key);
    case_indicator_key(text, len, (enum case_type)type, &cf->key);
    const struct case_slot *slot = find_slot(cf, type);
    strictest = case_tlp_stricter(strictest, slot ? slot->entity.tlp : NULL);
  }
  return strictest;
}

/* ---- adding ---- */

/* The stricter one stays. */
static int take_tlp(struct casefile *cf, struct case_entity *entity,
                    const struct case_entity_input *input, struct ap_slice text)
{
  ap_buf_clear(&cf->key);
  case_tlp_clean(text, &cf->key);
  const char *tlp = ap_buf_cstr(&cf->key);
  if (!*tlp)
    return ap_buf_error(&cf->key);
  cf->has_tlp = true;
  if (case_tlp_rank(tlp) == CASE_TLP_UNKNOWN)
    casefile_add_note(cf, input->source, input->line, "no TLP is called \"%.40s\"", tlp);
  if (case_tlp_stricter(entity->tlp, tlp) == tlp)
    entity->tlp = casefile_keep(cf, tlp);
  return entity->tlp ? AP_OK : AP_E_NO_MEMORY;
}

/* Properties and TLP, taken by a new entity and by one that is merged into. */
static int take_extras(struct casefile *cf, struct case_entity *entity,
                       const struct case_entity_input *input)
{
  if (input->properties.len && !entity->properties) {
    entity->properties = case_arena_add(&cf->arena, input->properties.ptr, input->properties.len);
    if (!entity->properties)
      return AP_E_NO_MEMORY;
  }
  if (take_tlp(cf, entity, input, input->tlp) != AP_OK)
    return AP_E_NO_MEMORY;
  const struct ap_slice floor = {cf->tlp, cf->tlp ? strlen(cf->tlp) : 0};
  return take_tlp(cf, entity, input, floor);
}

static int merge(struct casefile *cf, struct case_slot *slot, const char *spelling,
                 const struct case_entity_input *input, uint32_t *index, struct ap_error *err)
{
  struct case_entity *entity = &slot->entity;
  casefile_add_note(cf, input->source, input->line, "merged: the same as %.200s",
                    entity->identifier);
  entity->suspicious = entity->suspicious || input->suspicious;
  entity->internal = entity->internal || (input->has_internal && input->internal);
  if (add_alias(cf, entity, spelling) || take_extras(cf, entity, input))
    return out_of_memory(err);
  *index = slot->index;
  return AP_OK;
}

static int add_or_merge(struct casefile *cf, unsigned table, const struct case_entity *entity,
                        const struct case_entity_input *input, uint32_t *index,
                        struct ap_error *err)
{
  if (ap_buf_error(&cf->key) || ap_buf_error(&cf->text) || ap_buf_error(&cf->original))
    return out_of_memory(err);
  struct case_slot *slot = find_slot(cf, table);
  if (slot)
    return merge(cf, slot, entity->identifier, input, index, err);
  uint32_t added = 0;
  int code = add_slot(cf, table, entity, input, &added, err);
  if (code)
    return code;
  if (take_extras(cf, &slot_at(cf, added)->entity, input))
    return out_of_memory(err);
  *index = added;
  return AP_OK;
}

/* What is shown of a text that is no indicator: its beginning, up to a NUL. */
static void show_text(struct ap_slice text, struct ap_buf *out)
{
  size_t len = text.len ? strnlen(text.ptr, text.len) : 0;
  bool is_cut = len > SHOWN_MAX_BYTES;
  if (is_cut)
    for (len = SHOWN_MAX_BYTES; len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80;)
      len--;
  ap_buf_clear(out);
  ap_buf_add(out, text.ptr, len);
  if (is_cut)
    ap_buf_add_str(out, "\xe2\x80\xa6");
}

static int add_malformed(struct casefile *cf, const struct case_entity_input *input,
                         const char *reason, uint32_t *index, struct ap_error *err)
{
  show_text(input->identifier, &cf->text);
  ap_buf_clear(&cf->key);
  ap_buf_add(&cf->key, cf->text.ptr, cf->text.len);
  if (!cf->last_reason || strcmp(cf->last_reason, reason) != 0)
    cf->last_reason = casefile_keep(cf, reason);
  if (!cf->last_reason)
    return out_of_memory(err);
  struct case_entity entity = {
      .identifier = ap_buf_cstr(&cf->text),
      .malformed = cf->last_reason,
      .type = input->has_type ? input->type : CASE_TYPE_COUNT,
      .suspicious = input->suspicious,
      .internal = input->has_internal && input->internal,
  };
  uint32_t before = cf->count;
  int code = add_or_merge(cf, MALFORMED_TABLE, &entity, input, index, err);
  if (code == AP_OK && cf->count > before)
    casefile_add_note(cf, input->source, input->line, "skipped: %.200s: %s", entity.identifier,
                      entity.malformed);
  return code;
}

/* Cleans the original spelling into cf->original, which stays empty when there is none of any use.
 */
static void read_original(struct casefile *cf, const struct case_entity_input *input,
                          enum case_type type)
{
  struct case_indicator found;
  struct ap_error why;
  ap_buf_clear(&cf->original);
  if (input->original.len == 0)
    return;
  int code = case_indicator_read(input->original, &type, &cf->original, &found, &why);
  if (code == AP_OK && !found.retyped)
    return;
  ap_buf_clear(&cf->original);
  casefile_add_note(cf, input->source, input->line, "dropped the original identifier: %s",
                    code ? why.text : "it is of another type");
}

static void note_reading(struct casefile *cf, const struct case_entity_input *input,
                         const struct case_indicator *found)
{
  if (found->retyped)
    casefile_add_note(cf, input->source, input->line, "retyped: %.200s is no %s, taken as %s",
                      ap_buf_cstr(&cf->text), case_type_word(input->type),
                      case_type_word(found->type));
  if (found->port_removed)
    casefile_add_note(cf, input->source, input->line, "left out the port behind %.200s",
                      ap_buf_cstr(&cf->text));
  if (found->name_removed)
    casefile_add_note(cf, input->source, input->line, "left out the name behind %.200s",
                      ap_buf_cstr(&cf->text));
}

static int add_good(struct casefile *cf, const struct case_entity_input *input,
                    const struct case_indicator *found, uint32_t *index, struct ap_error *err)
{
  note_reading(cf, input, found);
  read_original(cf, input, found->type);
  bool is_asked_by_original = found->type == CASE_TYPE_URL && cf->original.len;
  const struct ap_buf *asked = is_asked_by_original ? &cf->original : &cf->text;
  bool is_internal = case_indicator_is_internal(asked->ptr, asked->len, found->type);
  ap_buf_clear(&cf->key);
  case_indicator_key(asked->ptr, asked->len, found->type, &cf->key);
  const char *original = ap_buf_cstr(&cf->original);
  struct case_entity entity = {
      .identifier = ap_buf_cstr(&cf->text),
      .original_identifier =
          *original && strcmp(original, ap_buf_cstr(&cf->text)) != 0 ? original : NULL,
      .type = found->type,
      .suspicious = input->suspicious,
      .internal = input->has_internal ? input->internal : is_internal,
  };
  return add_or_merge(cf, found->type, &entity, input, index, err);
}

int casefile_add(struct casefile *cf, const struct case_entity_input *input, uint32_t *index,
                 struct ap_error *err)
{
  if (input->problem)
    return add_malformed(cf, input, input->problem, index, err);
  struct case_indicator found;
  struct ap_error why;
  ap_buf_clear(&cf->text);
  int code = case_indicator_read(input->identifier, input->has_type ? &input->type : NULL,
                                 &cf->text, &found, &why);
  if (code == AP_E_INVALID)
    return add_malformed(cf, input, why.text, index, err);
  if (code)
    return out_of_memory(err);
  return add_good(cf, input, &found, index, err);
}
