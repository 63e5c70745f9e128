# Fastly: VCL snippets. docs/edge-caches.md has the whole setup.

# Type "recv". Every browser has its own Accept; the edge knows three answers to it. A format refused with q=0 does
# not count.
if (req.url.path ~ "^/i/") {
  unset req.http.Cookie;
  unset req.http.Authorization;
  # Client hints would keep a copy for every spelling of them.
  unset req.http.Save-Data;
  unset req.http.Sec-CH-DPR;
  if (req.url.path ~ "\.auto$") {
    if (req.http.Accept ~ "(?i)image/avif(?!\s*;\s*q=0(\.0*)?\s*(,|$))") {
      set req.http.Accept = "image/avif";
    } else if (req.http.Accept ~ "(?i)image/webp(?!\s*;\s*q=0(\.0*)?\s*(,|$))") {
      set req.http.Accept = "image/webp";
    } else {
      set req.http.Accept = "image/jpeg";
    }
  } else {
    unset req.http.Accept;
  }
}

# Type "fetch".
if (req.url.path ~ "^/i/") {
  # While the edge is away, what is here is still served.
  set beresp.stale_if_error = 86400s;
  if (beresp.status >= 500) {
    set beresp.cacheable = false;
  }
}
