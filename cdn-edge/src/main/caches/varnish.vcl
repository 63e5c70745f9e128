vcl 4.1;
# Varnish 6 or newer in front of Tintype's edge. Change the marked lines.
# docs/edge-caches.md has the reasons; CacheBehaviourTest runs this very file.

backend edge {
  .host = "127.0.0.1";      # the edge
  .port = "8080";           # the edge
  .connect_timeout = 2s;
  # Longer than the edge's own deadline of 10 s.
  .first_byte_timeout = 15s;
  .between_bytes_timeout = 5s;
}

sub vcl_recv {
  if (req.url !~ "^/i/") {
    return (synth(404));
  }
  # Pictures do not depend on who asks: the URL is signed. Cookies would keep Varnish from caching.
  unset req.http.Cookie;
  unset req.http.Authorization;
  # Client hints would keep a copy for every spelling of them.
  unset req.http.Save-Data;
  unset req.http.Sec-CH-DPR;
  # Every browser has its own Accept; the edge knows three answers to it. A format refused with q=0 does not count.
  if (req.url ~ "\.auto$") {
    if (req.http.Accept ~ "(?i)image/avif(?!\s*;\s*q=0(\.0*)?\s*(,|$))") {
      set req.http.Accept = "image/avif";
    } elsif (req.http.Accept ~ "(?i)image/webp(?!\s*;\s*q=0(\.0*)?\s*(,|$))") {
      set req.http.Accept = "image/webp";
    } else {
      set req.http.Accept = "image/jpeg";
    }
  } else {
    unset req.http.Accept;
  }
  # One range of bytes, or the whole: Varnish answers 416 to what it cannot read, where RFC 9110 has it ignored.
  if (req.http.Range && req.http.Range !~ "^bytes=\s*([0-9]+-[0-9]*|-[0-9]+)\s*$") {
    unset req.http.Range;
  }
  if (req.method != "GET" && req.method != "HEAD") {
    return (pass);
  }
  return (hash);
}

sub vcl_backend_response {
  # An hour of grace: while the edge is away, what was here is still served.
  set beresp.grace = 1h;
  if (beresp.status >= 500) {
    set beresp.ttl = 0s;
    set beresp.uncacheable = true;
    return (deliver);
  }
}

sub vcl_deliver {
  # RFC 9211; every cache on the way adds itself.
  if (obj.hits > 0) {
    set req.http.X-Status = "varnish; hit";
  } else {
    set req.http.X-Status = "varnish; fwd=miss";
  }
  if (resp.http.Cache-Status) {
    set resp.http.Cache-Status = resp.http.Cache-Status + ", " + req.http.X-Status;
  } else {
    set resp.http.Cache-Status = req.http.X-Status;
  }
  unset resp.http.Via;
  unset resp.http.X-Varnish;
}
