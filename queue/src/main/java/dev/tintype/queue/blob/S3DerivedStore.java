package dev.tintype.queue.blob;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Sha256;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Derived things in the bucket of the blobs: {@code PREFIXvariants/SHA256/NAME}, with their media
 * type, and their own digest among the object's metadata. What is old is removed by {@link
 * dev.tintype.queue.sweep.DerivedSweep}.
 */
public final class S3DerivedStore implements DerivedStore, AutoCloseable {
  /** Behind every SHA-256 in the order of names, so that a listing of blobs ends before it. */
  static final String FOLDER = "variants/";

  private static final Pattern NAME = Pattern.compile("[0-9a-f]{1,64}");
  private static final String DIGEST = "sha256";
  private static final int NOT_FOUND = 404;

  /** More than all operations of the edge together give of one picture; a purge can be repeated. */
  private static final int FORGOTTEN_MAX = 100_000;

  private final S3Config config;
  private final S3Client client;

  /** Does not connect yet. */
  public S3DerivedStore(S3Config config) {
    this.config = config;
    this.client = S3BlobStore.client(config);
  }

  @Override
  public Optional<byte[]> get(String sha256, String name) {
    String key = key(sha256, name);
    try {
      ResponseBytes<GetObjectResponse> found =
          client.getObjectAsBytes(request -> request.bucket(config.bucket()).key(key));
      byte[] bytes = found.asByteArrayUnsafe();
      if (!Sha256.hex(bytes).equals(found.response().metadata().get(DIGEST))) {
        throw new QueueException.Blob(
            "blob.io", "The object " + key + " has other bytes than were put.", null);
      }
      return Optional.of(bytes);
    } catch (S3Exception e) {
      if (e.statusCode() == NOT_FOUND) {
        return Optional.empty();
      }
      throw failure(e);
    } catch (SdkException e) {
      throw failure(e);
    }
  }

  @Override
  public void put(String sha256, String name, String mediaType, byte[] bytes) {
    if (bytes.length == 0 || bytes.length > BYTES_MAX) {
      throw new QueueException.Blob(
          "blob.too_large", "A variant has 1 to " + BYTES_MAX + " bytes.", null);
    }
    String key = key(sha256, name);
    try {
      client.putObject(
          request ->
              request
                  .bucket(config.bucket())
                  .key(key)
                  .contentType(mediaType)
                  .metadata(Map.of(DIGEST, Sha256.hex(bytes))),
          RequestBody.fromBytes(bytes));
    } catch (SdkException e) {
      throw failure(e);
    }
  }

  /** What is not ours is stepped over. */
  @Override
  public List<Entry> list(String after, int limit) {
    if (limit < 1 || limit > LIST_MAX) {
      throw new IllegalArgumentException("limit is 1 to " + LIST_MAX);
    }
    String root = config.prefix() + FOLDER;
    List<Entry> found = new ArrayList<>();
    String last = root + after;
    boolean more = true;
    try {
      while (more && found.isEmpty()) {
        String from = last;
        ListObjectsV2Response page =
            client.listObjectsV2(
                request ->
                    request.bucket(config.bucket()).prefix(root).startAfter(from).maxKeys(limit));
        for (S3Object object : page.contents()) {
          last = object.key();
          entry(last.substring(root.length()), object.lastModified()).ifPresent(found::add);
        }
        more = Boolean.TRUE.equals(page.isTruncated()) && !page.contents().isEmpty();
      }
      return List.copyOf(found);
    } catch (SdkException e) {
      throw failure(e);
    }
  }

  private static Optional<Entry> entry(String path, Instant putAt) {
    int slash = path.indexOf('/');
    if (slash < 0) {
      return Optional.empty();
    }
    Entry entry = new Entry(path.substring(0, slash), path.substring(slash + 1), putAt);
    boolean ours = Sha256.isHex(entry.sha256()) && NAME.matcher(entry.name()).matches();
    return ours ? Optional.of(entry) : Optional.empty();
  }

  @Override
  public void delete(Entry entry) {
    String key = key(entry.sha256(), entry.name());
    try {
      client.deleteObject(request -> request.bucket(config.bucket()).key(key));
    } catch (SdkException e) {
      throw failure(e);
    }
  }

  /** A page at a time; what is deleted is not listed again, so the first page is always next. */
  @Override
  public int forget(String sha256) {
    String folder = folder(sha256);
    int forgotten = 0;
    try {
      List<S3Object> page;
      do {
        ListObjectsV2Response listed =
            client.listObjectsV2(request -> request.bucket(config.bucket()).prefix(folder));
        page = listed.contents();
        for (S3Object object : page) {
          client.deleteObject(request -> request.bucket(config.bucket()).key(object.key()));
          forgotten++;
        }
      } while (!page.isEmpty() && forgotten < FORGOTTEN_MAX);
      return forgotten;
    } catch (SdkException e) {
      throw failure(e);
    }
  }

  private String key(String sha256, String name) {
    if (!NAME.matcher(name).matches()) {
      throw new QueueException.Blob("blob.key", "A variant's name is hexadecimal digits.", null);
    }
    return folder(sha256) + name;
  }

  private String folder(String sha256) {
    if (!Sha256.isHex(sha256)) {
      throw new QueueException.Blob(
          "blob.key", "A blob's name is a SHA-256 of 64 lower-case hex digits.", null);
    }
    return config.prefix() + FOLDER + sha256 + "/";
  }

  private QueueException failure(SdkException e) {
    return new QueueException.Blob(
        "blob.io",
        "Cannot read or write variants in bucket " + config.bucket() + ": " + e.getMessage(),
        e);
  }

  @Override
  public void close() {
    client.close();
  }
}
