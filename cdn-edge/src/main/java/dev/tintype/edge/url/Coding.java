package dev.tintype.edge.url;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The operations that say how a variant is written.
 *
 * @param quality {@code q}: 1 to 100
 * @param lossless {@code lossless}: without loss, where the format can choose (WebP, AVIF)
 * @param progressive {@code progressive}: coarse first, where the format can (JPEG, PNG)
 * @param metadata {@code keep} or {@code strip}; empty for what the configuration says
 */
public record Coding(
    OptionalInt quality, boolean lossless, boolean progressive, Optional<Metadata> metadata) {
  static final Coding NONE = new Coding(OptionalInt.empty(), false, false, Optional.empty());

  Coding withQuality(int value) {
    return new Coding(OptionalInt.of(value), lossless, progressive, metadata);
  }

  Coding withLossless() {
    return new Coding(quality, true, progressive, metadata);
  }

  Coding withProgressive() {
    return new Coding(quality, lossless, true, metadata);
  }

  Coding with(Metadata value) {
    return new Coding(quality, lossless, progressive, Optional.of(value));
  }

  /** Without what means nothing to a format. */
  Coding on(ImageFormat format) {
    boolean exact = lossless && format.choosesLoss();
    return new Coding(
        format.lossy() && !exact ? quality : OptionalInt.empty(),
        exact,
        progressive && format.canBeProgressive(),
        metadata);
  }

  void tokens(Optional<ImageFormat> format, List<String> tokens) {
    Coding meant = format.map(this::on).orElse(this);
    meant.quality.ifPresent(each -> tokens.add("q:" + each));
    meant.words(tokens);
  }

  /** Everything but the quality. */
  void words(List<String> words) {
    if (lossless) {
      words.add("lossless");
    }
    if (progressive) {
      words.add("progressive");
    }
    metadata.ifPresent(each -> words.add(each.word()));
  }
}
