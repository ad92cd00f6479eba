// SPDX-License-Identifier: Apache-2.0
#include "casefile/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"
#include "casefile/indicator.h"
#include "casefile/notes.h"
#include "casefile/parts.h"
#include "casefile/reader.h"

/* ---- plain text ---- */

/* Cuts a comment: from a # at the start or behind a blank, not from the fragment of a URL. */
static struct ap_slice cut_comment(struct ap_slice text)
{
  for (size_t i = 0; i < text.len; i++)
    if (text.ptr[i] == '#' && (i == 0 || case_is_blank(text.ptr[i - 1])))
      text.len = i;
  while (text.len && case_is_blank(text.ptr[0]))
    text = case_slice(text.ptr + 1, text.len - 1);
  while (text.len && case_is_blank(text.ptr[text.len - 1]))
    text.len--;
  return text;
}

static int add_plain(struct case_reader *reader, struct case_line line, struct ap_error *err)
{
  struct ap_slice text = cut_comment(line.text);
  if (text.len == 0)
    return AP_OK;
  uint32_t index;
  struct case_entity_input input = {
      .identifier = text, .source = reader->source, .line = reader->lines.number};
  int code = casefile_add(reader->cf, &input, &index, err);
  if (code)
    case_reader_blame(reader, input.line, err);
  return code;
}

/* ---- telling the formats apart ---- */

/* True when the first character that is no blank opens a JSON value of the kinds we read: a brace
 * or bracket before an address or a host name is a quote. */
static bool is_json(struct ap_slice text)
{
  size_t at = 0;
  while (at < text.len && case_is_blank(text.ptr[at]))
    at++;
  if (at == text.len || (text.ptr[at] != '{' && text.ptr[at] != '['))
    return false;
  const char *inside = text.ptr[at] == '{' ? "\"}" : "\"{[]";
  for (at++; at < text.len && case_is_blank(text.ptr[at]);)
    at++;
  return at == text.len || strchr(inside, text.ptr[at]);
}

static int read_lines(struct case_reader *reader, struct ap_error *err)
{
  bool is_first = true;
  for (;;) {
    struct case_line line;
    bool has;
    int code = case_lines_next(&reader->lines, &line, &has, err);
    if (code) {
      case_reader_blame(reader, reader->lines.number, err);
      return code;
    }
    if (!has)
      return AP_OK;
    if (is_first && cut_comment(line.text).len) {
      is_first = false;
      if (is_json(line.text))
        return case_is_ndjson(line) ? case_read_ndjson(reader, line, err)
                                    : case_read_json(reader, err);
      if (case_is_csv(line))
        return case_read_csv(reader, line, err);
    }
    code = add_plain(reader, line, err);
    if (code)
      return code;
  }
}

/* ---- where it comes from ---- */

int case_input_parse(struct casefile *cf, const char *source, struct ap_slice text,
                     struct ap_error *err)
{
  struct case_reader reader = {.cf = cf, .source = source};
  case_lines_of_memory(&reader.lines, text);
  int code = read_lines(&reader, err);
  case_lines_deinit(&reader.lines);
  return code;
}

static int open_file(const char *path, int *fd, struct ap_error *err)
{
  struct stat info;
  int opened = open(path, O_RDONLY | O_CLOEXEC);
  if (opened < 0)
    return ap_fail(err, AP_E_IO, "the entities file %s cannot be read: %s", path, strerror(errno));
  if (fstat(opened, &info) == 0 && S_ISDIR(info.st_mode)) {
    (void)close(opened);
    return ap_fail(err, AP_E_IO, "the entities file %s cannot be read: it is a folder", path);
  }
  *fd = opened;
  return AP_OK;
}

int case_input_read(struct casefile *cf, const char *path, struct ap_error *err)
{
  bool is_stdin = strcmp(path, "-") == 0;
  struct case_reader reader = {.cf = cf};
  reader.source = casefile_keep(cf, is_stdin ? "standard input" : path);
  if (!reader.source)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  int fd = STDIN_FILENO;
  int code = is_stdin ? AP_OK : open_file(path, &fd, err);
  if (code)
    return code;
  case_lines_of_file(&reader.lines, fd);
  code = read_lines(&reader, err);
  case_lines_deinit(&reader.lines);
  if (!is_stdin)
    (void)close(fd);
  return code;
}

/* ---- --entity ---- */

/* Splits TYPE:VALUE where what stands before the colon is a type and not a URL's scheme. */
static bool split_type(const char *text, enum case_type *type, const char **value)
{
  char word[32];
  const char *colon = strchr(text, ':');
  if (!colon || (size_t)(colon - text) >= sizeof(word) || strncmp(colon, "://", 3) == 0)
    return false;
  memcpy(word, text, (size_t)(colon - text));
  word[colon - text] = '\0';
  if (!case_type_parse(word, type))
    return false;
  *value = colon + 1;
  return true;
}

/* The word before a colon may be a type that is not quite right. */
static int fail_option(const char *text, const struct ap_error *why, struct ap_error *err)
{
  const char *words[CASE_TYPE_COUNT];
  char word[32];
  size_t len = strcspn(text, ":");
  for (unsigned i = 0; i < CASE_TYPE_COUNT; i++)
    words[i] = case_type_word((enum case_type)i);
  (void)snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : 0), text);
  const char *nearest =
      text[len] == ':' && text[len + 1] != '/' ? ap_nearest(word, words, CASE_TYPE_COUNT) : NULL;
  if (nearest)
    return ap_fail(err, AP_E_INVALID, "%.200s: there is no type \"%s\"; did you mean \"%s\"?", text,
                   word, nearest);
  return ap_fail(err, AP_E_INVALID, "%.200s: %s", text, why->text);
}

int case_input_option(struct casefile *cf, const char *text, struct ap_error *err)
{
  enum case_type type = CASE_TYPE_COUNT;
  const char *value = text;
  bool has_type = split_type(text, &type, &value);
  struct ap_slice slice = case_slice(value, strlen(value));
  struct ap_buf clean = {0};
  struct case_indicator found;
  struct ap_error why = {0};
  int code = case_indicator_read(slice, has_type ? &type : NULL, &clean, &found, &why);
  ap_buf_deinit(&clean);
  if (code)
    return has_type ? ap_fail(err, code, "%.200s: %s", text, why.text)
                    : fail_option(text, &why, err);
  uint32_t index;
  struct case_entity_input input = {
      .identifier = slice, .has_type = has_type, .type = type, .source = "--entity"};
  return casefile_add(cf, &input, &index, err);
}
