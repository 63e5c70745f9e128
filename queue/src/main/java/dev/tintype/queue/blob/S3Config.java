package dev.tintype.queue.blob;

import dev.tintype.queue.QueueException;
import java.net.URI;
import java.time.Duration;
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
 */
public record S3Config(
    Optional<URI> endpoint,
    String region,
    String bucket,
    String prefix,
    Optional<Credentials> credentials,
    Duration deadline) {
  public static final Duration DEADLINE_DEFAULT = Duration.ofSeconds(30);

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
  }
}
