package dev.tintype.edge;

import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.Preset;
import dev.tintype.edge.url.SigningKeys;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads a flat map of keys, and refuses what it does not know: a misspelt limit must not silently
 * be the default.
 */
final class EdgeConfigReader {
  private final Map<String, String> left;

  EdgeConfigReader(Map<String, String> values) {
    left = new HashMap<>(values);
  }

  EdgeConfig read() {
    SigningKeys keys = SigningKeys.parse(required("edge.keys"));
    EdgeConfig.Cache cache = cache();
    EdgeConfig.Encoder encoder = encoder();
    EdgeConfig.Limits limits = limits();
    EdgeConfig.Watermark watermark = watermark();
    EdgeConfig.Delivery delivery = delivery();
    if (!left.isEmpty()) {
      throw EdgeException.config(
          "Unknown keys " + left.keySet().stream().sorted().toList() + "; docs/edge.md lists all.");
    }
    return new EdgeConfig(keys, cache, encoder, limits, watermark, delivery);
  }

  private EdgeConfig.Cache cache() {
    EdgeConfig.Cache base = EdgeConfig.Cache.in(Path.of(required("edge.cache.folder")));
    return new EdgeConfig.Cache(
        base.folder(),
        number("edge.cache.disk_bytes_max", base.diskBytesMax()),
        number("edge.cache.memory_bytes_max", base.memoryBytesMax()),
        number("edge.cache.memory_entry_bytes_max", base.memoryEntryBytesMax()),
        integer("edge.cache.verify_s", base.verifyS()),
        variants(),
        integer("edge.cache.store_keep_days", base.storeKeepDays()));
  }

  private EdgeConfig.Cache.Variants variants() {
    String word = optional("edge.variants").orElse("disk");
    return switch (word) {
      case "disk" -> EdgeConfig.Cache.Variants.DISK;
      case "store" -> EdgeConfig.Cache.Variants.STORE;
      default ->
          throw EdgeException.config("edge.variants is '" + word + "'; it is disk or store.");
    };
  }

  private EdgeConfig.Encoder encoder() {
    EdgeConfig.Encoder base = EdgeConfig.Encoder.defaults();
    return new EdgeConfig.Encoder(
        integer("edge.encoder.threads", base.threads()),
        integer("edge.encoder.vips_threads", base.vipsThreads()),
        integer("edge.encoder.jpeg_quality", base.jpegQuality()),
        integer("edge.encoder.webp_quality", base.webpQuality()),
        integer("edge.encoder.avif_quality", base.avifQuality()),
        integer("edge.encoder.avif_effort", base.avifEffort()),
        integer("edge.encoder.avif_budget_ms", base.avifBudgetMs()),
        bool("edge.encoder.keep_metadata", base.keepMetadata()),
        optional("edge.encoder.library").map(Path::of));
  }

  private EdgeConfig.Limits limits() {
    EdgeConfig.Limits base = EdgeConfig.Limits.defaults();
    return new EdgeConfig.Limits(
        number("edge.limits.original_bytes_max", base.originalBytesMax()),
        number("edge.limits.original_pixels_max", base.originalPixelsMax()),
        integer("edge.limits.side_px_max", base.sidePxMax()),
        integer("edge.limits.encode_queue_max", base.encodeQueueMax()),
        integer("edge.limits.later_queue_max", base.laterQueueMax()),
        integer("edge.limits.variants_per_original_max", base.variantsPerOriginalMax()),
        integer("edge.limits.encode_deadline_ms", base.encodeDeadlineMs()),
        integer("edge.limits.io_threads", base.ioThreads()),
        integer("edge.limits.io_queue_max", base.ioQueueMax()),
        integer("edge.limits.store_deadline_ms", base.storeDeadlineMs()),
        number("edge.limits.in_flight_bytes_max", base.inFlightBytesMax()),
        integer("edge.limits.later_percent", base.laterPercent()));
  }

  private EdgeConfig.Watermark watermark() {
    EdgeConfig.Watermark base = EdgeConfig.Watermark.none();
    return new EdgeConfig.Watermark(
        optional("edge.watermark.text"),
        optional("edge.watermark.file").map(Path::of),
        integer("edge.watermark.opacity_percent", base.opacityPercent()),
        integer("edge.watermark.width_percent", base.widthPercent()),
        optional("edge.watermark.tiers").map(EdgeConfigReader::words).orElse(base.tiers()));
  }

  private EdgeConfig.Delivery delivery() {
    EdgeConfig.Delivery base = EdgeConfig.Delivery.defaults();
    return new EdgeConfig.Delivery(
        optional("edge.unsigned_presets").map(EdgeConfigReader::presets).orElse(Set.of()),
        bool("edge.client_hints", base.clientHints()),
        bool("edge.cache_tags", base.cacheTags()));
  }

  private static Set<String> words(String text) {
    return Stream.of(text.split(","))
        .map(String::strip)
        .filter(each -> !each.isEmpty())
        .collect(Collectors.toUnmodifiableSet());
  }

  private static Set<Preset> presets(String text) {
    return words(text).stream()
        .map(
            word ->
                Preset.ofWord(word)
                    .orElseThrow(
                        () ->
                            EdgeException.config(
                                "edge.unsigned_presets names '"
                                    + word
                                    + "', which is no preset; docs/edge.md lists them.")))
        .collect(Collectors.toUnmodifiableSet());
  }

  private Optional<String> optional(String key) {
    return Optional.ofNullable(left.remove(key)).map(String::strip).filter(each -> !each.isEmpty());
  }

  private String required(String key) {
    String value = left.remove(key);
    if (value == null || value.isBlank()) {
      throw EdgeException.config(key + " is not set.");
    }
    return value;
  }

  private long number(String key, long base) {
    String value = left.remove(key);
    try {
      return value == null ? base : Long.parseLong(value.strip());
    } catch (NumberFormatException e) {
      throw EdgeException.config(key + " is '" + value + "', which is no whole number.");
    }
  }

  private int integer(String key, int base) {
    long value = number(key, base);
    if (value != (int) value) {
      throw EdgeException.config(key + " is " + value + ", which is too large.");
    }
    return (int) value;
  }

  private boolean bool(String key, boolean base) {
    String value = left.remove(key);
    return switch (value == null ? Boolean.toString(base) : value.strip()) {
      case "true" -> true;
      case "false" -> false;
      default -> throw EdgeException.config(key + " is '" + value + "'; it is true or false.");
    };
  }
}
