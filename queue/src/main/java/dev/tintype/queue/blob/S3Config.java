package dev.tintype.queue.blob;

import dev.tintype.queue.QueueException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How to reach a bucket.
 *
 * @param endpoint of a server that is not Amazon's, such as {@code http://minio:9000}; its buckets
 *     are then addressed by path
 * @param region default {@code us-east-1}
 * @param bucket exists already
 * @param prefix of all keys, such as {@code tintype/}; default none
 * @param credentials empty for what Amazon's SDK finds by itself (environment, instance role)
 * @param deadline of one call with its retries, default 30 s
 * @param storageClass of new originals, default {@code STANDARD}
 * @param coldClass where old originals are moved to by the sweep, or empty
 */
public record S3Config(
    Optional<URI> endpoint,
    String region,
    String bucket,
    String prefix,
    Optional<Credentials> credentials,
    Duration deadline,
    String storageClass,
    Optional<String> coldClass) {
  public static final Duration DEADLINE_DEFAULT = Duration.ofSeconds(30);
  public static final String STORAGE_CLASS_DEFAULT = "STANDARD";

  /** Those that answer at once; a picture in an archive could not be shown for hours. */
  public static final List<String> STORAGE_CLASSES =
      List.of(
          STORAGE_CLASS_DEFAULT, "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR");

  /** Default classes: everything stays in {@code STANDARD}. */
  public S3Config(
      Optional<URI> endpoint,
      String region,
      String bucket,
      String prefix,
      Optional<Credentials> credentials,
      Duration deadline) {
    this(
        endpoint,
        region,
        bucket,
        prefix,
        credentials,
        deadline,
        STORAGE_CLASS_DEFAULT,
        Optional.empty());
  }

  /** A key pair. */
  public record Credentials(String accessKey, String secretKey) {
    @Override
    public String toString() {
      return "Credentials[" + accessKey + "]";
    }
  }

  public S3Config {
    if (bucket.isBlank() || region.isBlank() || deadline.toMillis() < 100) {
      throw new QueueException.Invalid(
          "s3.config", "S3 needs a bucket and a region, and a deadline of at least 100 ms.");
    }
    checkClass(storageClass);
    coldClass.ifPresent(S3Config::checkClass);
    if (coldClass.filter(storageClass::equals).isPresent()) {
      throw new QueueException.Invalid(
          "s3.config", "The cold class of S3 is another one than that of new pictures.");
    }
  }

  private static void checkClass(String name) {
    if (!STORAGE_CLASSES.contains(name)) {
      throw new QueueException.Invalid(
          "s3.config",
          name + " is no storage class that answers at once; choose from " + STORAGE_CLASSES + ".");
    }
  }
}
