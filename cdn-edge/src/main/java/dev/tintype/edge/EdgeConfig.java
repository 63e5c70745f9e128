package dev.tintype.edge;

import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.Preset;
import dev.tintype.edge.url.SigningKeys;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Everything that can be set about an edge; validates itself. docs/edge.md has the table of keys,
 * defaults and costs.
 *
 * @param keys the signing keys that are alive; no default, because a known key is no key
 * @param cache how much is kept, and where
 * @param encoder how variants are encoded
 * @param limits what is refused
 * @param watermark the mark that {@code watermark} lays over a variant
 * @param delivery what is answered without a signature, and what of the client is looked at
 */
public record EdgeConfig(
    SigningKeys keys,
    Cache cache,
    Encoder encoder,
    Limits limits,
    Watermark watermark,
    Delivery delivery) {
  private static final long KIB = 1024;
  private static final long MIB = 1024 * KIB;

  /** Validates what holds between the parts. */
  public EdgeConfig {
    if (watermark.configured() && !delivery.unsignedPresets().isEmpty()) {
      throw EdgeException.config(
          "edge.unsigned_presets and edge.watermark.text or .file exclude each other: anyone could"
              + " take the watermark out of a URL that needs no signature. Leave one of them out.");
    }
  }

  /**
   * Where variants are kept.
   *
   * @param folder one process per folder; made when missing. A full or read-only folder costs
   *     re-encoding, not answers
   * @param diskBytesMax bound of the folder. Default 10 GiB: about half a million variants of 20 kB
   * @param memoryBytesMax bound of the memory cache, on the Java heap. Default 64 MiB
   * @param memoryEntryBytesMax a larger variant is sent from disk. Default 1 MiB
   * @param verifyS how long a variant may outlive its original: so often the original is looked for
   *     again, which costs one look into its store for each original. Default 3600
   * @param variants whether other edges find what this one made. Default disk
   * @param storeKeepDays how long the store keeps a variant, days; one that is still asked for then
   *     is made again. Default 30
   */
  public record Cache(
      Path folder,
      long diskBytesMax,
      long memoryBytesMax,
      long memoryEntryBytesMax,
      int verifyS,
      Variants variants,
      int storeKeepDays) {
    /** Where variants are kept for good. */
    public enum Variants {
      /** On this machine's disk alone. */
      DISK,
      /** In the store of originals too, where other edges, and a fresh one, find them. */
      STORE
    }

    /** Validates. */
    public Cache {
      range("edge.cache.disk_bytes_max", diskBytesMax, 0, Long.MAX_VALUE);
      range("edge.cache.memory_bytes_max", memoryBytesMax, 0, Long.MAX_VALUE);
      range("edge.cache.memory_entry_bytes_max", memoryEntryBytesMax, 0, 64 * MIB);
      range("edge.cache.verify_s", verifyS, 1, 31_536_000);
      range("edge.cache.store_keep_days", storeKeepDays, 1, 3650);
    }

    /** The defaults, in a folder. */
    public static Cache in(Path folder) {
      return new Cache(folder, 10 * KIB * MIB, 64 * MIB, MIB, 3600, Variants.DISK, 30);
    }
  }

  /**
   * How variants are encoded. What quality and effort cost is in docs/edge.md, measured by {@code
   * ./tintype bench edge-quality}.
   *
   * @param threads encodes at once. Default: the cores, 8 at most
   * @param vipsThreads threads inside one encode. Default 1: several encodes side by side use the
   *     cores better
   * @param jpegQuality default 80
   * @param webpQuality default 79
   * @param avifQuality default 50
   * @param avifEffort 0 to 9. Default 0: 16 times as fast as 4, for a few percent more bytes
   * @param avifBudgetMs an AVIF that {@code auto} chose and that would take longer is made in the
   *     background, and the next format is sent until it is there; 0 always waits. Default 1000
   * @param keepMetadata whether XMP, EXIF, ICC and recipe stay in variants whose URL says neither
   *     {@code keep} nor {@code strip}. Default true. The mark of generated pictures stays anyway
   * @param library the libvips to load; empty: the packed one, else the system's
   */
  public record Encoder(
      int threads,
      int vipsThreads,
      int jpegQuality,
      int webpQuality,
      int avifQuality,
      int avifEffort,
      int avifBudgetMs,
      boolean keepMetadata,
      Optional<Path> library) {
    private static final int BUDGET_MS = 1000;

    /** With the default budget of AVIF. */
    public Encoder(
        int threads,
        int vipsThreads,
        int jpegQuality,
        int webpQuality,
        int avifQuality,
        int avifEffort,
        boolean keepMetadata,
        Optional<Path> library) {
      this(
          threads,
          vipsThreads,
          jpegQuality,
          webpQuality,
          avifQuality,
          avifEffort,
          BUDGET_MS,
          keepMetadata,
          library);
    }

    /** Validates. */
    public Encoder {
      range("edge.encoder.threads", threads, 1, 256);
      range("edge.encoder.vips_threads", vipsThreads, 1, 64);
      range("edge.encoder.jpeg_quality", jpegQuality, 1, 100);
      range("edge.encoder.webp_quality", webpQuality, 1, 100);
      range("edge.encoder.avif_quality", avifQuality, 1, 100);
      range("edge.encoder.avif_effort", avifEffort, 0, 9);
      range("edge.encoder.avif_budget_ms", avifBudgetMs, 0, 600_000);
    }

    /** The defaults. */
    public static Encoder defaults() {
      int cores = Runtime.getRuntime().availableProcessors();
      return new Encoder(Math.min(cores, 8), 1, 80, 79, 50, 0, true, Optional.empty());
    }

    /** Quality for a format when the URL names none; 0 for a lossless format. */
    public int quality(ImageFormat format) {
      return switch (format) {
        case AVIF -> avifQuality;
        case WEBP -> webpQuality;
        case JPEG -> jpegQuality;
        case PNG -> 0;
      };
    }
  }

  /**
   * What is refused, and when.
   *
   * @param originalBytesMax larger originals are not decoded. Default 64 MiB
   * @param originalPixelsMax width x height of an original, read from its header. Default 64 Mi:
   *     8192 x 8192
   * @param sidePxMax largest w and h of a URL, device pixel ratio included. Default 8192
   * @param encodeQueueMax encodes that wait; beyond it 503. Default 256
   * @param laterQueueMax AVIF variants that were put off and wait. Default 256
   * @param variantsPerOriginalMax variants of one original in the making; beyond it 429. Default 32
   * @param encodeDeadlineMs from the request to the variant; beyond it 503, and the encode is
   *     stopped. Default 10,000
   * @param ioThreads threads that read cached variants; as many more wait for originals, and for
   *     what can be done without. Default 8
   * @param ioQueueMax reads that wait; beyond it 503. Default 4096
   * @param storeDeadlineMs longest wait for the shared store of variants, beyond it the variant is
   *     encoded; and for whether an original is still there, beyond it its variants are sent.
   *     Default 1000
   * @param inFlightBytesMax bound of what requests hold beside the caches: originals from a store,
   *     their copies for libvips, decoded pixels; beyond it 503. Default 512 MiB
   * @param laterPercent share of the encoders' time for AVIF variants that were put off, where
   *     requests always wait; 0: only when none does. Default 10
   */
  public record Limits(
      long originalBytesMax,
      long originalPixelsMax,
      int sidePxMax,
      int encodeQueueMax,
      int laterQueueMax,
      int variantsPerOriginalMax,
      int encodeDeadlineMs,
      int ioThreads,
      int ioQueueMax,
      int storeDeadlineMs,
      long inFlightBytesMax,
      int laterPercent) {
    /** Validates. */
    public Limits {
      range("edge.limits.original_bytes_max", originalBytesMax, KIB, 1024 * MIB);
      range("edge.limits.original_pixels_max", originalPixelsMax, 1, 1024 * MIB);
      range("edge.limits.side_px_max", sidePxMax, 1, Operations.SIDE_PX_MAX);
      range("edge.limits.encode_queue_max", encodeQueueMax, 1, 1_000_000);
      range("edge.limits.later_queue_max", laterQueueMax, 0, 1_000_000);
      range("edge.limits.variants_per_original_max", variantsPerOriginalMax, 1, 1_000_000);
      range("edge.limits.encode_deadline_ms", encodeDeadlineMs, 1, 600_000);
      range("edge.limits.io_threads", ioThreads, 1, 1024);
      range("edge.limits.io_queue_max", ioQueueMax, 1, 1_000_000);
      range("edge.limits.store_deadline_ms", storeDeadlineMs, 1, 60_000);
      range("edge.limits.in_flight_bytes_max", inFlightBytesMax, MIB, 1024 * 1024 * MIB);
      range("edge.limits.later_percent", laterPercent, 0, 50);
    }

    /** The defaults. */
    public static Limits defaults() {
      return new Limits(
          64 * MIB, 64 * MIB, 8192, 256, 256, 32, 10_000, 8, 4096, 1000, 512 * MIB, 10);
    }
  }

  /**
   * The mark over pictures of tiers that carry one. Neither text nor file: the operation {@code
   * watermark} is refused, and no link has it.
   *
   * @param text drawn in white with a dark edge, in the system's sans-serif; 1 to 64 characters
   * @param file a PNG instead, of 2048 px a side and 4 MiB at most
   * @param opacityPercent 1 to 100. Default 60
   * @param widthPercent share of the variant's width, 5 to 100. Default 25
   * @param tiers whose links carry it. Default free
   */
  public record Watermark(
      Optional<String> text,
      Optional<Path> file,
      int opacityPercent,
      int widthPercent,
      Set<String> tiers) {
    private static final int TEXT_CHARS_MAX = 64;

    /** Validates. */
    public Watermark {
      tiers = Set.copyOf(tiers);
      range("edge.watermark.opacity_percent", opacityPercent, 1, 100);
      range("edge.watermark.width_percent", widthPercent, 5, 100);
      if (text.isPresent() && file.isPresent()) {
        throw EdgeException.config("Set edge.watermark.text or edge.watermark.file, not both.");
      }
      if (text.filter(each -> each.isBlank() || each.length() > TEXT_CHARS_MAX).isPresent()) {
        throw EdgeException.config(
            "edge.watermark.text has 1 to " + TEXT_CHARS_MAX + " characters.");
      }
    }

    /** The defaults: no watermark. */
    public static Watermark none() {
      return new Watermark(Optional.empty(), Optional.empty(), 60, 25, Set.of("free"));
    }

    /** Whether there is a mark. */
    public boolean configured() {
      return text.isPresent() || file.isPresent();
    }

    /** Whether links to pictures of a tier carry the mark. */
    public boolean marks(String tier) {
      return configured() && tiers.contains(tier);
    }
  }

  /**
   * What is answered, and to whom.
   *
   * @param unsignedPresets presets, alone and as {@code auto} or in a format, whose URLs need no
   *     signature: {@code /i/-/thumb/{sha256}.auto}. Not beside a watermark. Default none
   * @param clientHints whether {@code auto} looks at Save-Data and Sec-CH-DPR too. Default false:
   *     each hint multiplies the variants that caches keep
   * @param cacheTags whether answers name their original in Surrogate-Key and Cache-Tag, by which
   *     some caches purge. Default false: 160 bytes an answer
   */
  public record Delivery(Set<Preset> unsignedPresets, boolean clientHints, boolean cacheTags) {
    /** Without tags. */
    public Delivery(Set<Preset> unsignedPresets, boolean clientHints) {
      this(unsignedPresets, clientHints, false);
    }

    /** Copies. */
    public Delivery {
      unsignedPresets = Set.copyOf(unsignedPresets);
    }

    /** The defaults. */
    public static Delivery defaults() {
      return new Delivery(Set.of(), false, false);
    }
  }

  /** Without watermark, and with the defaults of delivery. */
  public EdgeConfig(SigningKeys keys, Cache cache, Encoder encoder, Limits limits) {
    this(keys, cache, encoder, limits, Watermark.none(), Delivery.defaults());
  }

  /** The same with another cache. */
  public EdgeConfig with(Cache other) {
    return new EdgeConfig(keys, other, encoder, limits, watermark, delivery);
  }

  /** The same with another watermark. */
  public EdgeConfig with(Watermark other) {
    return new EdgeConfig(keys, cache, encoder, limits, other, delivery);
  }

  /** The same with another delivery. */
  public EdgeConfig with(Delivery other) {
    return new EdgeConfig(keys, cache, encoder, limits, watermark, other);
  }

  /** The same with another encoder. */
  public EdgeConfig with(Encoder other) {
    return new EdgeConfig(keys, cache, other, limits, watermark, delivery);
  }

  /** The same with other limits. */
  public EdgeConfig with(Limits other) {
    return new EdgeConfig(keys, cache, encoder, other, watermark, delivery);
  }

  /** The defaults, with keys and a cache folder. */
  public static EdgeConfig of(SigningKeys keys, Path cacheFolder) {
    return new EdgeConfig(keys, Cache.in(cacheFolder), Encoder.defaults(), Limits.defaults());
  }

  /**
   * Reads a flat configuration: the keys of the table in docs/edge.md, all starting with {@code
   * edge.}. What is absent has its default; {@code edge.keys} and {@code edge.cache.folder} must be
   * there.
   *
   * @throws EdgeException with code edge.config for an unknown key or a value that cannot be used
   */
  public static EdgeConfig parse(Map<String, String> values) {
    return new EdgeConfigReader(values).read();
  }

  private static void range(String key, long value, long min, long max) {
    if (value < min || value > max) {
      throw EdgeException.config(key + " is " + value + "; it may be " + min + " to " + max + ".");
    }
  }
}
