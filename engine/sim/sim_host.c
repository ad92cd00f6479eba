/* Domains and IP addresses. Both answers are made of the same lists of what was seen at a host;
 * which of the lists are there, and which are there but empty, differs from host to host as it does
 * at the service. */
// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "sim/sim_canonical.h"
#include "sim/sim_data.h"
#include "sim/sim_write.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { LIST_MAX = 100 };

struct host {
  const char *name; /* lower case */
  bool is_known;
  bool is_bad;
  int64_t midnight_s;
  struct sim_rng rng;
};

static const char *const words[] = {"www",  "mail", "cdn",   "shop", "login", "static",
                                    "news", "api",  "files", "img",  "blog",  "secure"};

static const char *const vendors[] = {
    "BitDefender",          "Dr.Web", "Forcepoint ThreatSeeker", "Sophos",
    "TrendMicro",           "Alexa",  "Comodo Valkyrie Verdict", "Websense ThreatSeeker",
    "Xcitium Verdict Cloud"};

static const char *const categories[] = {
    "business",  "computersandsoftware",     "parked", "information technology", "uncategorized",
    "education", "newly registered websites"};

static const char *const bad_categories[] = {"known infection source", "phishing and fraud",
                                             "malicious web sites", "compromised websites"};

/* ---- lists ---- */

/* Lists of real hosts are mostly short, and now and then as long as the service lets them be. */
static unsigned list_length(struct sim_rng *rng)
{
  return sim_rng_chance(rng, 3) ? LIST_MAX : sim_rng_below(rng, 9);
}

/* The dates of a list go from new to old. */
static int64_t older(struct sim_rng *rng, int64_t date_s)
{
  return date_s - 1 - (int64_t)sim_rng_below(rng, 20U * 86400);
}

static void make_url(struct host *host, char url[256])
{
  (void)snprintf(url, 256, "http://%.180s/%s/%u", host->name,
                 sim_rng_pick(&host->rng, words, COUNT_OF(words)), sim_rng_below(&host->rng, 1000));
}

static void write_detected_urls(struct host *host, struct ap_buf *out)
{
  char url[256];
  unsigned count = host->is_bad ? 1 + list_length(&host->rng) : 0;
  int64_t date_s = host->midnight_s;
  sim_write_open(out, "detected_urls", '[');
  for (unsigned i = 0; i < count && i < LIST_MAX; i++) {
    date_s = older(&host->rng, date_s);
    make_url(host, url);
    sim_write_open(out, NULL, '{');
    sim_write_text(out, "url", url);
    sim_write_int(out, "positives", 1 + sim_rng_below(&host->rng, 20));
    sim_write_int(out, "total", 66 + sim_rng_below(&host->rng, 5));
    sim_write_date(out, "scan_date", date_s);
    sim_write_close(out, '}');
  }
  sim_write_close(out, ']');
}

static void write_undetected_urls(struct host *host, struct ap_buf *out)
{
  char url[256];
  char sha256[65];
  unsigned count = list_length(&host->rng);
  int64_t date_s = host->midnight_s;
  sim_write_open(out, "undetected_urls", '[');
  for (unsigned i = 0; i < count; i++) {
    date_s = older(&host->rng, date_s);
    make_url(host, url);
    if (ap_sha256_hex(url, strlen(url), sha256))
      continue;
    sim_write_open(out, NULL, '[');
    sim_write_text(out, NULL, url);
    sim_write_text(out, NULL, sha256);
    sim_write_int(out, NULL, 0);
    sim_write_int(out, NULL, 66 + sim_rng_below(&host->rng, 5));
    sim_write_date(out, NULL, date_s);
    sim_write_close(out, ']');
  }
  sim_write_close(out, ']');
}

/* @param dated  how many of a hundred have a date; those without come last. */
static void write_samples(struct host *host, struct ap_buf *out, const char *key, bool is_detected,
                          unsigned dated)
{
  struct sim_rng *rng = &host->rng;
  char sha256[65];
  unsigned count = is_detected && !host->is_bad ? 0 : list_length(rng);
  unsigned with_date = count * dated / 100;
  int64_t date_s = host->midnight_s;
  sim_write_open(out, key, '[');
  for (unsigned i = 0; i < count; i++) {
    date_s = older(rng, date_s);
    sim_rng_hex(rng, sha256, 64);
    sim_write_open(out, NULL, '{');
    if (i < with_date)
      sim_write_date(out, "date", date_s);
    sim_write_int(out, "positives", is_detected ? 1 + sim_rng_below(rng, 50) : 0);
    sim_write_int(out, "total", 55 + sim_rng_below(rng, 16));
    sim_write_text(out, "sha256", sha256);
    sim_write_close(out, '}');
  }
  sim_write_close(out, ']');
}

static void write_sample_lists(struct host *host, struct ap_buf *out)
{
  struct sim_rng *rng = &host->rng;
  if (host->is_bad || sim_rng_chance(rng, 50))
    write_samples(host, out, "detected_downloaded_samples", true, 100);
  if (sim_rng_chance(rng, 60))
    write_samples(host, out, "undetected_downloaded_samples", false, 100);
  if (host->is_bad || sim_rng_chance(rng, 40))
    write_samples(host, out, "detected_communicating_samples", true, 100);
  if (sim_rng_chance(rng, 60))
    write_samples(host, out, "undetected_communicating_samples", false, 100);
  if (sim_rng_chance(rng, 60))
    write_samples(host, out, "detected_referrer_samples", true, 40);
  if (sim_rng_chance(rng, 60))
    write_samples(host, out, "undetected_referrer_samples", false, 40);
}

static void write_whois(struct host *host, struct ap_buf *out)
{
  struct sim_rng *rng = &host->rng;
  if (!sim_rng_chance(rng, 80))
    return;
  char text[512];
  (void)snprintf(
      text, sizeof(text),
      "Name: %.200s\nRegistrar: Example Registrar, Inc.\nCreation Date: 20%02u-0%u-1%u\n",
      host->name, sim_rng_below(rng, 24), 1 + sim_rng_below(rng, 9), sim_rng_below(rng, 10));
  sim_write_text(out, "whois", sim_rng_chance(rng, 90) ? text : NULL);
  int64_t at_s = older(rng, host->midnight_s);
  (void)snprintf(text, sizeof(text), "%lld%s", (long long)at_s,
                 sim_rng_chance(rng, 30) ? ".12345" : "");
  sim_write_raw(out, "whois_timestamp", (struct ap_slice){text, strlen(text)});
}

/* ---- domains ---- */

static void make_address(struct sim_rng *rng, char address[16])
{
  static const char *const nets[] = {"192.0.2", "198.51.100", "203.0.113"};
  (void)snprintf(address, 16, "%s.%u", sim_rng_pick(rng, nets, COUNT_OF(nets)),
                 1 + sim_rng_below(rng, 254));
}

static void write_domain_resolutions(struct host *host, struct ap_buf *out)
{
  char address[16];
  unsigned count = 1 + sim_rng_below(&host->rng, 6);
  int64_t date_s = host->midnight_s;
  sim_write_open(out, "resolutions", '[');
  for (unsigned i = 0; i < count; i++) {
    date_s = older(&host->rng, date_s);
    make_address(&host->rng, address);
    sim_write_open(out, NULL, '{');
    sim_write_date(out, "last_resolved", date_s);
    sim_write_text(out, "ip_address", address);
    sim_write_close(out, '}');
  }
  sim_write_close(out, ']');
}

static void write_names(struct host *host, struct ap_buf *out, const char *key)
{
  char name[300];
  unsigned count = sim_rng_below(&host->rng, 6);
  sim_write_open(out, key, '[');
  for (unsigned i = 0; i < count; i++) {
    (void)snprintf(name, sizeof(name), "%s%u.%.253s",
                   sim_rng_pick(&host->rng, words, COUNT_OF(words)), i, host->name);
    sim_write_text(out, NULL, name);
  }
  sim_write_close(out, ']');
}

static const char *pick_category(struct host *host)
{
  return host->is_bad ? sim_rng_pick(&host->rng, bad_categories, COUNT_OF(bad_categories))
                      : sim_rng_pick(&host->rng, categories, COUNT_OF(categories));
}

static void write_categories(struct host *host, struct ap_buf *out)
{
  char key[64];
  if (sim_rng_chance(&host->rng, 80)) {
    sim_write_open(out, "categories", '[');
    for (unsigned i = sim_rng_below(&host->rng, 3) + (host->is_bad ? 1 : 0); i > 0; i--)
      sim_write_text(out, NULL, pick_category(host));
    sim_write_close(out, ']');
  }
  for (size_t i = 0; i < COUNT_OF(vendors); i++) {
    if (!sim_rng_chance(&host->rng, 35))
      continue;
    (void)snprintf(key, sizeof(key), "%s category", vendors[i]);
    sim_write_text(out, key, pick_category(host));
  }
}

static void write_reputation(struct host *host, struct ap_buf *out)
{
  struct sim_rng *rng = &host->rng;
  const char *trust = host->is_bad ? "Poor" : "Excellent";
  if (sim_rng_chance(rng, 40))
    sim_write_int(out, "Alexa rank", 1 + sim_rng_below(rng, 1000000));
  if (sim_rng_chance(rng, 30))
    sim_write_text(out, "Alexa domain info", "This domain is among the million most visited.");
  if (sim_rng_chance(rng, 30))
    sim_write_text(out, "BitDefender domain info",
                   host->is_bad
                       ? "This URL domain/host was seen to host badware at some point in time"
                       : "This URL domain/host is not known to host badware");
  if (sim_rng_chance(rng, 25)) {
    static const char *const traits[] = {"Vendor reliability", "Child safety", "Trustworthiness",
                                         "Privacy"};
    sim_write_open(out, "WOT domain info", '{');
    for (size_t i = 0; i < COUNT_OF(traits); i++)
      sim_write_text(out, traits[i], trust);
    sim_write_close(out, '}');
  }
  if (host->is_bad || sim_rng_chance(rng, 60)) {
    sim_write_open(out, "Webutation domain info", '{');
    sim_write_text(out, "Verdict", host->is_bad ? "malicious" : "safe");
    sim_write_text(out, "Adult content", sim_rng_chance(rng, 5) ? "yes" : "no");
    sim_write_int(out, "Safety score", host->is_bad ? sim_rng_below(rng, 30) : 100);
    sim_write_close(out, '}');
  }
}

static void write_dns_records(struct host *host, struct ap_buf *out)
{
  char address[16];
  struct sim_rng *rng = &host->rng;
  if (!sim_rng_chance(rng, 60))
    return;
  make_address(rng, address);
  sim_write_open(out, "dns_records", '[');
  sim_write_open(out, NULL, '{');
  sim_write_text(out, "type", "A");
  sim_write_text(out, "value", address);
  sim_write_int(out, "ttl", 300);
  sim_write_close(out, '}');
  sim_write_open(out, NULL, '{');
  sim_write_text(out, "type", "MX");
  sim_write_int(out, "priority", 10);
  sim_write_text(out, "value", "mx.example.net");
  sim_write_int(out, "ttl", 3600);
  sim_write_close(out, '}');
  sim_write_open(out, NULL, '{');
  sim_write_text(out, "type", "SOA");
  sim_write_text(out, "value", "ns1.example.net");
  sim_write_int(out, "ttl", 3600);
  sim_write_text(out, "rname", "hostmaster.example.net");
  sim_write_int(out, "serial", 2023111401);
  sim_write_int(out, "refresh", 7200);
  sim_write_int(out, "retry", 900);
  sim_write_int(out, "expire", 1209600);
  sim_write_int(out, "minimum", 86400);
  sim_write_close(out, '}');
  sim_write_close(out, ']');
  sim_write_int(out, "dns_records_date", older(rng, host->midnight_s));
}

static void write_pcaps(struct host *host, struct ap_buf *out)
{
  char sha256[65];
  if (!sim_rng_chance(&host->rng, 20))
    return;
  sim_write_open(out, "pcaps", '[');
  for (unsigned i = sim_rng_below(&host->rng, 4); i > 0; i--) {
    sim_rng_hex(&host->rng, sha256, 64);
    sim_write_text(out, NULL, sha256);
  }
  sim_write_close(out, ']');
}

static void write_domain(const struct sim_call *call, struct host *host, struct ap_buf *out)
{
  sim_write_open(out, NULL, '{');
  sim_write_int(out, "response_code", 1);
  sim_write_text(out, "verbose_msg", sim_call_says(call, "Domain found in dataset"));
  write_categories(host, out);
  write_reputation(host, out);
  write_domain_resolutions(host, out);
  if (host->is_bad || sim_rng_chance(&host->rng, 85))
    write_detected_urls(host, out);
  if (sim_rng_chance(&host->rng, 85))
    write_undetected_urls(host, out);
  write_sample_lists(host, out);
  if (sim_rng_chance(&host->rng, 85))
    write_names(host, out, "subdomains");
  if (sim_rng_chance(&host->rng, 85))
    write_names(host, out, "domain_siblings");
  write_pcaps(host, out);
  write_whois(host, out);
  write_dns_records(host, out);
  sim_write_close(out, '}');
}

static void write_absence(const struct sim_call *call, int code, const char *text,
                          struct ap_buf *out)
{
  sim_write_open(out, NULL, '{');
  sim_write_int(out, "response_code", code);
  sim_write_text(out, "verbose_msg", sim_call_says(call, text));
  sim_write_close(out, '}');
}

static void derive_host(const struct sim *sim, const char *kind, const char *name,
                        struct host *host)
{
  *host = (struct host){.name = name, .midnight_s = sim->midnight_s, .rng = sim_rng_of(kind, name)};
  host->is_known = !sim_rng_chance(&host->rng, 10);
  host->is_bad = sim_rng_chance(&host->rng, 25);
}

static void fix_domain(struct host *host)
{
  static const struct {
    const char *name;
    bool is_bad;
  } fixed[] = {{"virustotal.com", false},     {"www.virustotal.com", false},
               {"example.com", false},        {"google.com", false},
               {"malware.example.com", true}, {"phishing.example.com", true}};
  for (size_t i = 0; i < COUNT_OF(fixed); i++)
    if (strcmp(host->name, fixed[i].name) == 0) {
      host->is_known = true;
      host->is_bad = fixed[i].is_bad;
    }
}

void sim_domain_report(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  struct host host;
  struct ap_buf name = {0};
  sim_add_lower(&name, item);
  if (ap_buf_error(&name) || !sim_is_domain(item)) {
    write_absence(call, -1, "Invalid domain", out);
  } else {
    derive_host(call->sim, "domain", name.ptr, &host);
    fix_domain(&host);
    if (host.is_known || sim_call_is_forced(call))
      write_domain(call, &host, out);
    else
      write_absence(call, 0, "Domain not found", out);
  }
  ap_buf_deinit(&name);
}

/* ---- addresses ---- */

static void write_network(struct host *host, struct ap_buf *out)
{
  static const char *const owners[] = {"Example Hosting Ltd", "Contoso Cloud", "Test Networks B.V.",
                                       "Documentation ISP"};
  static const char *const countries[] = {"US", "DE", "ES", "NL", "JP", "BR"};
  struct sim_rng *rng = &host->rng;
  bool is_google = strcmp(host->name, "8.8.8.8") == 0;
  int64_t asn = is_google ? 15169 : 64496 + sim_rng_below(rng, 16);
  char text[64];
  if (sim_rng_chance(rng, 60) || is_google) {
    sim_write_int(out, "asn", asn);
  } else {
    (void)snprintf(text, sizeof(text), "%lld", (long long)asn);
    sim_write_text(out, "asn", text);
  }
  sim_write_text(out, "as_owner",
                 is_google ? "Google LLC" : sim_rng_pick(rng, owners, COUNT_OF(owners)));
  sim_write_text(out, "country",
                 is_google ? "US" : sim_rng_pick(rng, countries, COUNT_OF(countries)));
  if (sim_rng_chance(rng, 60))
    sim_write_text(out, "continent", is_google ? "NA" : "EU");
  if (sim_rng_chance(rng, 60)) {
    (void)snprintf(text, sizeof(text), "%.*s.0/24", (int)(strrchr(host->name, '.') - host->name),
                   host->name);
    sim_write_text(out, "network", text);
  }
}

static void write_ip_resolutions(struct host *host, struct ap_buf *out)
{
  struct sim_rng *rng = &host->rng;
  char name[64];
  unsigned count = list_length(rng);
  int64_t date_s = host->midnight_s;
  sim_write_open(out, "resolutions", '[');
  for (unsigned i = 0; i < count; i++) {
    date_s = older(rng, date_s);
    (void)snprintf(name, sizeof(name), "%s%u.example.net",
                   sim_rng_pick(rng, words, COUNT_OF(words)), sim_rng_below(rng, 1000));
    sim_write_open(out, NULL, '{');
    sim_write_text(out, "hostname", name);
    if (sim_rng_chance(rng, 5))
      sim_write_text(out, "last_resolved", NULL);
    else
      sim_write_date(out, "last_resolved", date_s);
    sim_write_close(out, '}');
  }
  sim_write_close(out, ']');
}

static void write_ip(const struct sim_call *call, struct host *host, struct ap_buf *out)
{
  sim_write_open(out, NULL, '{');
  sim_write_int(out, "response_code", 1);
  sim_write_text(out, "verbose_msg", sim_call_says(call, "IP address in dataset"));
  write_network(host, out);
  write_ip_resolutions(host, out);
  if (host->is_bad || sim_rng_chance(&host->rng, 85))
    write_detected_urls(host, out);
  if (sim_rng_chance(&host->rng, 85))
    write_undetected_urls(host, out);
  write_sample_lists(host, out);
  write_whois(host, out);
  sim_write_close(out, '}');
}

/* Addresses for documentation are all known: odd ones of 192.0.2.0/24 bad, even ones clean. Those
 * of private networks are not known to anyone. */
static void fix_address(struct host *host)
{
  struct in_addr address;
  if (inet_pton(AF_INET, host->name, &address) != 1)
    return;
  uint32_t number = ntohl(address.s_addr);
  bool is_documentation = number >> 8 == 0xc00002;
  bool is_private =
      number >> 24 == 10 || number >> 24 == 127 || number >> 20 == 0xac1 || number >> 16 == 0xc0a8;
  if (is_documentation || strcmp(host->name, "8.8.8.8") == 0) {
    host->is_known = true;
    host->is_bad = is_documentation && (number & 1);
  } else if (is_private) {
    host->is_known = false;
  }
}

void sim_ip_report(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  struct host host;
  char name[16];
  if (!sim_is_ipv4(item)) {
    write_absence(call, -1, "Invalid IP address", out);
    return;
  }
  (void)snprintf(name, sizeof(name), "%.*s", (int)item.len, item.ptr);
  derive_host(call->sim, "ip", name, &host);
  fix_address(&host);
  if (host.is_known || sim_call_is_forced(call))
    write_ip(call, &host, out);
  else
    write_absence(call, 0, "Missing IP address", out);
}
