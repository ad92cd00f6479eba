-- An answer as AbuseIPDB's documentation shows them, for an address that is nobody's.
return {
  {
    method = "GET",
    url = "https://api.abuseipdb.com/api/v2/check?ipAddress=203.0.113.9&maxAgeInDays=90",
    status = 200,
    headers = { ["content-type"] = "application/json", ["x-ratelimit-remaining"] = "999" },
    body = [[
{"data":{"ipAddress":"203.0.113.9","isPublic":true,"ipVersion":4,"isWhitelisted":false,
"abuseConfidenceScore":73,"countryCode":"NL","usageType":"Data Center/Web Hosting/Transit",
"isp":"Example Hosting","domain":"example.com","hostnames":[],"isTor":false,"totalReports":41,
"numDistinctUsers":17,"lastReportedAt":"2026-01-14T21:12:07+00:00"}}
]],
  },
}
