// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_data.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sim/sim_write.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- numbers ---- */

struct sim_rng sim_rng_of(const char *kind, const char *text)
{
  struct ap_buf seed = {0};
  char hex[65] = "";
  struct sim_rng rng = {0};
  ap_buf_add_str(&seed, kind);
  ap_buf_add_char(&seed, '\n');
  ap_buf_add_str(&seed, text);
  if (ap_buf_error(&seed) || ap_sha256_hex(seed.ptr, seed.len, hex) != AP_OK)
    ap_out_of_memory();
  ap_buf_deinit(&seed);
  for (size_t i = 0; i < 16; i++) {
    unsigned digit = (unsigned)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    rng.state = rng.state << 4 | digit;
  }
  return rng;
}

uint64_t sim_rng_next(struct sim_rng *rng)
{
  uint64_t z = rng->state += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

unsigned sim_rng_below(struct sim_rng *rng, unsigned limit)
{
  return limit ? (unsigned)(sim_rng_next(rng) % limit) : 0;
}

bool sim_rng_chance(struct sim_rng *rng, unsigned percent)
{
  return sim_rng_below(rng, 100) < percent;
}

const char *sim_rng_pick(struct sim_rng *rng, const char *const *names, size_t count)
{
  return names[sim_rng_below(rng, (unsigned)count)];
}

void sim_rng_hex(struct sim_rng *rng, char *out, size_t len)
{
  static const char digits[] = "0123456789abcdef";
  uint64_t bits = 0;
  for (size_t i = 0; i < len; i++) {
    if (i % 16 == 0)
      bits = sim_rng_next(rng);
    out[i] = digits[bits & 15];
    bits >>= 4;
  }
  out[len] = '\0';
}

/* ---- engines ---- */

struct file_engine {
  const char *name;
  const char *version; /* NULL: not told */
  const char *before;  /* of the family; NULL: the name is `after` alone */
  const char *after;
};

static const struct file_engine file_engines[] = {
    {"Bkav", "2.0.0.1", "W32.", ".Trojan"},
    {"Lionic", "8.16", "Trojan.Win32.", ".4!c"},
    {"Elastic", "4.0.150", NULL, "malicious (high confidence)"},
    {"MicroWorld-eScan", "14.0.409.0", "Trojan.", ".GenericKD"},
    {"CMC", "2.4.2022.1", "Trojan.Win32.", "!O"},
    {"CAT-QuickHeal", "22.00", "Trojan.", ".S29"},
    {"ALYac", "2.0.0.10", "Trojan.", ".Gen"},
    {"Malwarebytes", "4.5.5.54", "Malware.", ".AI.1004"},
    {"Zillya", "2.0.0.5106", "Trojan.", ".Win32.118"},
    {"Sangfor", "2.23.0.0", "Trojan.Win32.", ".Save"},
    {"K7AntiVirus", "12.133.50567", "Trojan ( ", " )"},
    {"Alibaba", "0.3.0.5", "Trojan:Win32/", ".5a2f"},
    {"K7GW", "12.133.50568", "Trojan ( ", " )"},
    {"Cybereason", "1.2.449", NULL, "malicious.c02b2f"},
    {"Baidu", "1.0.0.2", "Win32.Trojan.", ".a"},
    {"VirIT", "9.5.583", "Trojan.Win32.", ".CSW"},
    {"Symantec", "1.21.0.0", "Trojan.", "!gm"},
    {"tehtris", NULL, NULL, "Generic.Malware"},
    {"ESET-NOD32", "28412", "a variant of Win32/", ".HGX"},
    {"APEX", "6.474", NULL, "Malicious"},
    {"Paloalto", "0.9.0.1003", NULL, "generic.ml"},
    {"ClamAV", "1.2.0.0", "Win.Trojan.", "-9950112-0"},
    {"Kaspersky", "22.0.1.28", "HEUR:Trojan.Win32.", ".gen"},
    {"BitDefender", "7.2", "Trojan.", ".GenericKD"},
    {"NANO-Antivirus", "1.0.146.25796", "Trojan.Win32.", ".jqkxyz"},
    {"SUPERAntiSpyware", "5.6.0.1032", "Trojan.Agent/Gen-", ""},
    {"Avast", "23.9.8494.0", "Win32:", "-AB [Trj]"},
    {"Tencent", "1.0.0.1", "Malware.Win32.", ".10bd"},
    {"TACHYON", "2023-11-14.01", "Trojan/W32.", ".Gen"},
    {"Emsisoft", "2022.6.0.32461", "Trojan.", ".GenericKD (B)"},
    {"F-Secure", "18.10.1137.128", "Heuristic.HEUR/", ""},
    {"Dr.Web", "7.0.61.8090", "Trojan.", ".1045"},
    {"VIPRE", "6.0.0.35", "Trojan.", ".GenericKD"},
    {"TrendMicro", "11.0.0.1006", "TROJ_", ".SM"},
    {"McAfee-GW-Edition", "v2021.2.0+4045", "BehavesLike.Win32.", ".dc"},
    {"Trapmine", "4.0.14.97", NULL, "malicious.high.ml.score"},
    {"FireEye", "35.24.1.0", NULL, "Generic.mg.44d88612fea8a8f3"},
    {"Sophos", "2.3.1.0", "Mal/", "-A"},
    {"SentinelOne (Static ML)", "23.3.0.3", NULL, "Static AI - Malicious PE"},
    {"GData", "A:25.36716B:27.33723", "Win32.Trojan.", ".B"},
    {"Jiangmin", "16.0.100", "Trojan.", ".dfqt"},
    {"Webroot", "1.0.0.403", "W32.Trojan.", ""},
    {"Varist", "6.5.1.2", "W32/", ".A.gen!Eldorado"},
    {"Avira", "8.3.3.16", "TR/", ".qwert"},
    {"Antiy-AVL", "3.0", "Trojan/Win32.", ""},
    {"Kingsoft", "None", "Win32.Troj.", ".v.3b1"},
    {"Gridinsoft", "1.0.147.174", "Trojan.Win32.", ".sd"},
    {"Xcitium", "36185", "TrojWare.Win32.", ".A@1z"},
    {"Arcabit", "2022.0.0.18", "Trojan.", ".D1F"},
    {"ViRobot", "2014.3.20.0", "Trojan.Win32.", ".68"},
    {"ZoneAlarm", "1.0", "HEUR:Trojan.Win32.", ".gen"},
    {"Microsoft", "1.1.23100.2009", "Trojan:Win32/", "!MTB"},
    {"Cynet", "4.0.0.28", NULL, "Malicious (score: 100)"},
    {"AhnLab-V3", "3.24.4.10447", "Trojan/Win.", ".R4"},
    {"Acronis", "1.2.0.121", NULL, "suspicious"},
    {"McAfee", "6.0.6.653", "GenericRXAA-", "!44D88612"},
    {"MAX", "2023.1.4.1", NULL, "malware (ai score=100)"},
    {"VBA32", "5.0.0", "BScope.Trojan.", ""},
    {"Cylance", "2.0.0.0", NULL, "unsafe"},
    {"Panda", "4.6.4.2", "Trj/", ".A"},
    {"Zoner", "2.2.2.0", "Trojan.Win32.", ".14"},
    {"TrendMicro-HouseCall", "10.0.0.1040", "TROJ_", ".SM"},
    {"Rising", "25.0.0.27", "Trojan.", "!8.B1E (TFE:5)"},
    {"Yandex", "5.5.2.24", "Trojan.", "!xYz"},
    {"Ikarus", "6.2.4.0", "Trojan.Win32.", ""},
    {"MaxSecure", "1.0.0.1", "Trojan.Malware.", ".susgen"},
    {"Fortinet", "None", "W32/", ".A!tr"},
    {"BitDefenderTheta", "7.2.37796.0", "Gen:NN.ZexaF.", ""},
    {"AVG", "23.9.8494.0", "Win32:", "-AB [Trj]"},
    {"DeepInstinct", "3.1.0.15", NULL, "MALICIOUS"},
    {"CrowdStrike", "1.0", NULL, "win/malicious_confidence_100% (W)"},
    {"Ad-Aware", "3.0.21.193", "Trojan.", ".GenericKD"},
};

static const struct {
  const char *name;
  const char *detail; /* NULL for most */
} url_engines[] = {
    {"CLEAN MX", NULL},
    {"VX Vault", NULL},
    {"Tencent", NULL},
    {"MalwarePatrol", NULL},
    {"ZCloudsec", NULL},
    {"Comodo Valkyrie Verdict", NULL},
    {"PhishLabs", NULL},
    {"Zerofox", NULL},
    {"K7AntiVirus", NULL},
    {"FraudSense", NULL},
    {"Virusdie External Site Scan", NULL},
    {"Spamhaus", NULL},
    {"Quttera", NULL},
    {"AegisLab WebGuard", NULL},
    {"MalwareDomainList", "http://www.malwaredomainlist.com/mdl.php"},
    {"ZeusTracker", "https://zeustracker.abuse.ch/monitor.php"},
    {"zvelo", NULL},
    {"Google Safebrowsing", NULL},
    {"Kaspersky", NULL},
    {"BitDefender", NULL},
    {"Dr.Web", NULL},
    {"ADMINUSLabs", NULL},
    {"C-SIRT", NULL},
    {"CyberCrime", NULL},
    {"Websense ThreatSeeker", NULL},
    {"CRDF", NULL},
    {"Rising", NULL},
    {"Webutation", NULL},
    {"Trustwave", NULL},
    {"Web Security Guard", NULL},
    {"G-Data", NULL},
    {"Malwarebytes hpHosts", NULL},
    {"Emsisoft", NULL},
    {"Malc0de Database", "http://malc0de.com/database/index.php"},
    {"SCUMWARE.org", NULL},
    {"OpenPhish", NULL},
    {"Opera", NULL},
    {"Yandex Safebrowsing", "http://yandex.com/infected"},
    {"Malekal", NULL},
    {"desenmascara.me", NULL},
    {"securolytics", NULL},
    {"Netcraft", NULL},
    {"AutoShun", NULL},
    {"Sucuri SiteCheck", NULL},
    {"ThreatHive", NULL},
    {"Phishtank", NULL},
    {"Spam404", NULL},
    {"malwares.com URL checker", NULL},
    {"URLhaus", NULL},
    {"Blueliv", NULL},
    {"Baidu-International", NULL},
    {"Fortinet", NULL},
    {"ESET", NULL},
    {"StopBadware", NULL},
    {"Sophos", NULL},
    {"EmergingThreats", NULL},
    {"Avira", NULL},
    {"Forcepoint ThreatSeeker", NULL},
    {"BADWARE.INFO", NULL},
    {"Nucleon", NULL},
    {"Antiy-AVL", NULL},
    {"SecureBrain", NULL},
    {"NotMining", NULL},
    {"PREBYTES", NULL},
    {"Lumu", NULL},
    {"Cyan", NULL},
    {"DNS8", NULL},
    {"CyRadar", NULL},
    {"IPsum", NULL},
    {"Botvrij.eu", NULL},
};

/* ---- what is written down ---- */

struct fixed_file {
  struct ap_digests digests;
  unsigned total;
  unsigned positives;
  const char *family;
  bool is_exact;
};

static const struct fixed_file fixed_files[] = {
    {{"44d88612fea8a8f36de82e1278abb02f", "3395856ce81f2b7382dee72602f798b642f14140",
      "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"},
     68,
     63,
     "EICAR-Test-File (not a virus)",
     true},
    {{"d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
     61,
     0,
     "",
     false},
    {{"6f5902ac237024bdd0c176cb93063dc4", "22596363b3de40b06f981fb85d82312e8c0ed511",
      "a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447"},
     60,
     0,
     "",
     false},
    {{"84c82835a5d21bbcf75a61706d8ab549", "5ff465afaabcbf0150d1a3ab2c2e74f3a4426467",
      "ed01ebfbc9eb5bbea545af4d01bf5f1071661840480439c6e5babe8e080e41aa"},
     70,
     66,
     "WannaCrypt",
     false},
};

/* By canonical URL. */
static const struct {
  const char *url;
  unsigned total;
  unsigned positives;
} fixed_urls[] = {
    {"http://www.virustotal.com/", 68, 0},
    {"https://www.virustotal.com/", 68, 0},
    {"http://example.com/", 66, 0},
    {"https://example.com/", 66, 0},
    {"http://www.google.com/", 69, 0},
    {"http://malware.example.com/", 67, 12},
    {"http://phishing.example.com/login", 67, 24},
};

void sim_derive_digests(const char *digest, struct ap_digests *out)
{
  size_t len = strlen(digest);
  for (size_t i = 0; i < COUNT_OF(fixed_files); i++) {
    const struct ap_digests *fixed = &fixed_files[i].digests;
    if (strcmp(digest, fixed->md5) == 0 || strcmp(digest, fixed->sha1) == 0 ||
        strcmp(digest, fixed->sha256) == 0) {
      *out = *fixed;
      return;
    }
  }
  struct sim_rng rng = sim_rng_of("digests", digest);
  sim_rng_hex(&rng, out->sha256, 64);
  sim_rng_hex(&rng, out->sha1, 40);
  sim_rng_hex(&rng, out->md5, 32);
  char *asked = len == 32 ? out->md5 : len == 40 ? out->sha1 : out->sha256;
  memcpy(asked, digest, len);
}

static int64_t derive_scan_s(struct sim_rng *rng, int64_t midnight_s)
{
  return midnight_s - 86400 - (int64_t)sim_rng_below(rng, 399U * 86400);
}

void sim_file_facts(const char *sha256, int64_t midnight_s, struct sim_facts *out)
{
  static const char *const families[] = {
      "Agent",    "Emotet", "Qakbot", "AgentTesla", "Formbook",   "Remcos",
      "Trickbot", "Zbot",   "Cobalt", "LokiBot",    "Redline",    "GandCrab",
      "Dridex",   "Ursnif", "Mirai",  "NjRat",      "Androxgh0st"};
  *out = (struct sim_facts){.rng = sim_rng_of("file", sha256)};
  struct sim_rng *rng = &out->rng;
  out->is_known = !sim_rng_chance(rng, 10);
  out->total = 55 + sim_rng_below(rng, 16);
  unsigned kind = sim_rng_below(rng, 90);
  if (kind < 25)
    out->positives = 3 + sim_rng_below(rng, (out->total < 60 ? out->total : 60) - 2);
  else if (kind < 38)
    out->positives = 1 + sim_rng_below(rng, 2);
  out->family = sim_rng_pick(rng, families, COUNT_OF(families));
  out->scan_s = derive_scan_s(rng, midnight_s);
  for (size_t i = 0; i < COUNT_OF(fixed_files); i++)
    if (strcmp(sha256, fixed_files[i].digests.sha256) == 0) {
      out->is_known = true;
      out->total = fixed_files[i].total;
      out->positives = fixed_files[i].positives;
      out->family = fixed_files[i].family;
      out->is_exact = fixed_files[i].is_exact;
    }
}

void sim_url_facts(const char *sha256, const char *url, int64_t midnight_s, struct sim_facts *out)
{
  *out = (struct sim_facts){.family = "", .rng = sim_rng_of("url", sha256)};
  struct sim_rng *rng = &out->rng;
  out->is_known = !sim_rng_chance(rng, 20);
  out->total = 60 + sim_rng_below(rng, 11);
  unsigned kind = sim_rng_below(rng, 80);
  if (kind < 20)
    out->positives = 3 + sim_rng_below(rng, 28);
  else if (kind < 28)
    out->positives = 1 + sim_rng_below(rng, 2);
  out->scan_s = derive_scan_s(rng, midnight_s);
  for (size_t i = 0; i < COUNT_OF(fixed_urls); i++)
    if (strcmp(url, fixed_urls[i].url) == 0) {
      out->is_known = true;
      out->total = fixed_urls[i].total;
      out->positives = fixed_urls[i].positives;
    }
}

/* ---- verdicts of engines ---- */

/* Chooses `wanted` of the `left` that are still to come, each as likely (selection sampling). */
static bool choose(struct sim_rng *rng, unsigned *wanted, unsigned left)
{
  if (sim_rng_below(rng, left) >= *wanted)
    return false;
  (*wanted)--;
  return true;
}

static void add_detection(struct ap_buf *out, const struct file_engine *engine,
                          const struct sim_facts *facts)
{
  ap_buf_add_char(out, '"');
  if (facts->is_exact || engine->before)
    ap_buf_add_str(out, facts->is_exact ? "" : engine->before);
  if (facts->is_exact || engine->before)
    ap_buf_add_str(out, facts->family);
  if (!facts->is_exact)
    ap_buf_add_str(out, engine->after);
  ap_buf_add_char(out, '"');
}

static void add_version(struct ap_buf *out, const struct file_engine *engine)
{
  if (engine->version)
    ap_buf_add_char(out, '"');
  ap_buf_add_str(out, engine->version ? engine->version : "null");
  if (engine->version)
    ap_buf_add_char(out, '"');
}

/* Plain appends: this is most of the work of a report. */
void sim_write_file_scans(struct ap_buf *out, const struct sim_facts *facts, int64_t scan_s)
{
  char today[SIM_DATE_TEXT];
  char yesterday[SIM_DATE_TEXT];
  sim_format_stamp(scan_s, today);
  sim_format_stamp(scan_s - 86400, yesterday);
  struct sim_rng rng = facts->rng;
  unsigned total = facts->total;
  unsigned positives = facts->positives;
  sim_write_open(out, "scans", '{');
  for (unsigned i = 0; i < COUNT_OF(file_engines); i++) {
    const struct file_engine *engine = &file_engines[i];
    unsigned left = total;
    if (!choose(&rng, &total, (unsigned)COUNT_OF(file_engines) - i))
      continue;
    bool detected = choose(&rng, &positives, left);
    sim_write_open(out, engine->name, '{');
    ap_buf_add_str(out, detected ? "\"detected\": true, \"version\": "
                                 : "\"detected\": false, \"version\": ");
    add_version(out, engine);
    ap_buf_add_str(out, ", \"result\": ");
    if (detected)
      add_detection(out, engine, facts);
    else
      ap_buf_add_str(out, "null");
    ap_buf_add_str(out, ", \"update\": \"");
    ap_buf_add(out, i % 7 == 3 ? yesterday : today, 8);
    ap_buf_add_str(out, "\"}");
  }
  sim_write_close(out, '}');
}

static const char *url_verdict(struct sim_rng *rng, bool detected)
{
  static const char *const bad[] = {"malicious site", "malware site", "phishing site"};
  if (detected)
    return sim_rng_pick(rng, bad, COUNT_OF(bad));
  unsigned kind = sim_rng_below(rng, 100);
  return kind < 1 ? "suspicious site" : kind < 12 ? "unrated site" : "clean site";
}

void sim_write_url_scans(struct ap_buf *out, const struct sim_facts *facts)
{
  struct sim_rng rng = facts->rng;
  unsigned total = facts->total;
  unsigned positives = facts->positives;
  sim_write_open(out, "scans", '{');
  for (unsigned i = 0; i < COUNT_OF(url_engines); i++) {
    unsigned left = total;
    if (!choose(&rng, &total, (unsigned)COUNT_OF(url_engines) - i))
      continue;
    bool detected = choose(&rng, &positives, left);
    sim_write_open(out, url_engines[i].name, '{');
    sim_write_bool(out, "detected", detected);
    sim_write_text(out, "result", url_verdict(&rng, detected));
    if (url_engines[i].detail)
      sim_write_text(out, "detail", url_engines[i].detail);
    sim_write_close(out, '}');
  }
  sim_write_close(out, '}');
}
