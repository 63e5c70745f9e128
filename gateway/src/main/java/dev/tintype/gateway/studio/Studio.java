package dev.tintype.gateway.studio;

import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The page and its files, by path. */
public final class Studio {
  private static final List<String> SCRIPTS =
      List.of("studio.js", "api.js", "hints.js", "mask.js", "plate.js", "start.js", "viewer.js");

  private final Map<String, Asset> assets;

  /**
   * @param imageOrigin where pictures come from, when that is not the page's own origin
   */
  public Studio(Optional<URI> imageOrigin) {
    Map<String, String> page =
        Map.of(
            "Content-Security-Policy", policy(imageOrigin),
            "X-Frame-Options", "DENY",
            "Cross-Origin-Opener-Policy", "same-origin",
            "Permissions-Policy", "camera=(), microphone=(), geolocation=()");
    Map<String, Asset> all = new HashMap<>();
    all.put("/", Asset.load(Studio.class, "index.html", "text/html; charset=utf-8", page));
    all.put("/studio/icon.svg", Asset.load(Studio.class, "icon.svg", "image/svg+xml", Map.of()));
    all.put(
        "/studio/studio.css",
        Asset.load(Studio.class, "studio.css", "text/css; charset=utf-8", Map.of()));
    for (String script : SCRIPTS) {
      all.put(
          "/studio/" + script,
          Asset.load(Studio.class, script, "text/javascript; charset=utf-8", Map.of()));
    }
    assets = Map.copyOf(all);
  }

  /** Path to file. */
  public Map<String, Asset> assets() {
    return assets;
  }

  private static String policy(Optional<URI> imageOrigin) {
    String images = imageOrigin.map(origin -> " " + origin).orElse("");
    return "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src"
        + " 'self' data: blob:"
        + images
        + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  }
}
