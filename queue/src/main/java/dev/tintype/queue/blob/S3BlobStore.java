package dev.tintype.queue.blob;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.TlsRefusal;
import dev.tintype.queue.job.Sha256;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.MetadataDirective;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Blobs in a bucket of S3 or of a server that speaks its protocol. A blob's key is the prefix and
 * its SHA-256; what is read is checked against that name, so that a broken disk or proxy cannot
 * pass off other bytes. {@link #put} always sends the bytes: that renews the object's time, and
 * replaces it by the same bytes, at once and as a whole.
 *
 * <p>S3 has no deletion that depends on an object's time, so {@link #delete(String, Instant)} looks
 * first; a put between the look and the deletion, some milliseconds, would be lost. It would have
 * to be the same picture as one that nobody had named for the whole age that the sweep waits for.
 */
public final class S3BlobStore implements BlobStore, AutoCloseable {
  private static final Duration CONNECT_MAX = Duration.ofSeconds(3);

  /** Of times in headers; listings may be finer. */
  private static final Duration HEADER_TIME_UNIT = Duration.ofSeconds(1);

  /** What the SDK says of bytes by itself. */
  private static final String CONTENT_TYPE = "application/octet-stream";

  private static final int NOT_FOUND = 404;

  /** No SHA-256 stands behind this name; what is derived from blobs does, in its own folder. */
  private static final String BEHIND_DIGITS = "g";

  private static final int FORBIDDEN = 403;

  /** Key pair or token are wrong. AccessDenied is a policy's, perhaps of this request alone. */
  private static final Set<String> LOGIN =
      Set.of("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken");

  private static final int CHANGED = 412;

  private final S3Config config;
  private final S3Client client;

  /** Does not connect yet: a bucket that is away now may be there when it is needed. */
  public S3BlobStore(S3Config config) {
    this.config = config;
    this.client = client(config);
  }

  static S3Client client(S3Config config) {
    S3ClientBuilder builder =
        S3Client.builder()
            .region(Region.of(config.region()))
            // Servers of other makers know no trailing checksums; the name is the checksum.
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
            .httpClientBuilder(
                UrlConnectionHttpClient.builder()
                    .connectionTimeout(CONNECT_MAX)
                    .socketTimeout(config.deadline()))
            .overrideConfiguration(override -> override.apiCallTimeout(config.deadline()));
    config.endpoint().ifPresent(uri -> builder.endpointOverride(uri).forcePathStyle(true));
    config
        .credentials()
        .ifPresent(
            pair ->
                builder.credentialsProvider(
                    StaticCredentialsProvider.create(
                        AwsBasicCredentials.create(pair.accessKey(), pair.secretKey()))));
    return builder.build();
  }

  @Override
  public String put(byte[] bytes) {
    if (bytes.length == 0 || bytes.length > BLOB_BYTES_MAX) {
      throw new QueueException.Blob(
          "blob.too_large", "A blob has 1 to " + BLOB_BYTES_MAX + " bytes.", null);
    }
    String sha256 = Sha256.hex(bytes);
    call(
        () ->
            client.putObject(
                request -> {
                  request.bucket(config.bucket()).key(key(sha256));
                  if (!config.storageClass().equals(S3Config.STORAGE_CLASS_DEFAULT)) {
                    request.storageClass(config.storageClass());
                  }
                },
                RequestBody.fromBytes(bytes)));
    return sha256;
  }

  @Override
  public Optional<InputStream> open(String sha256) {
    return read(sha256, bytes -> {}).map(ByteArrayInputStream::new);
  }

  /** One request: the size stands in the answer's head, and the body is read after it. */
  @Override
  public Optional<byte[]> read(String sha256, LongConsumer admission) {
    String key = key(sha256);
    AdmittedBody body = new AdmittedBody(admission);
    Optional<byte[]> bytes =
        found(() -> client.getObject(request -> request.bucket(config.bucket()).key(key), body));
    body.throwRefusal();
    bytes.ifPresent(
        found -> {
          if (!Sha256.hex(found).equals(sha256)) {
            throw new QueueException.Blob(
                "blob.io",
                "The object " + key + " in " + where() + " has other bytes than its name says.",
                null);
          }
        });
    return bytes;
  }

  @Override
  public OptionalLong size(String sha256) {
    return head(sha256)
        .map(head -> OptionalLong.of(head.contentLength()))
        .orElse(OptionalLong.empty());
  }

  private Optional<HeadObjectResponse> head(String sha256) {
    String key = key(sha256);
    return found(() -> client.headObject(request -> request.bucket(config.bucket()).key(key)));
  }

  @Override
  public boolean delete(String sha256) {
    if (head(sha256).isEmpty()) {
      return false;
    }
    call(() -> client.deleteObject(request -> request.bucket(config.bucket()).key(key(sha256))));
    return true;
  }

  @Override
  public boolean delete(String sha256, Instant notPutSince) {
    boolean old =
        head(sha256).filter(head -> !head.lastModified().isAfter(notPutSince)).isPresent();
    if (old) {
      call(() -> client.deleteObject(request -> request.bucket(config.bucket()).key(key(sha256))));
    }
    return old;
  }

  /** Pages on over what is not ours, since an empty answer means the end. */
  @Override
  public List<Entry> list(String after, int limit) {
    if (limit < 1 || limit > LIST_MAX) {
      throw new IllegalArgumentException("limit is 1 to " + LIST_MAX);
    }
    List<Entry> found = new ArrayList<>();
    String last = config.prefix() + after;
    boolean more = true;
    while (more && found.size() < limit) {
      String from = last;
      int wanted = limit - found.size();
      ListObjectsV2Response page =
          call(
              () ->
                  client.listObjectsV2(
                      request ->
                          request
                              .bucket(config.bucket())
                              .prefix(config.prefix())
                              .startAfter(from)
                              .maxKeys(wanted)));
      for (S3Object object : page.contents()) {
        last = object.key();
        String name = last.substring(config.prefix().length());
        if (Sha256.isHex(name)) {
          String storageClass =
              Optional.ofNullable(object.storageClassAsString())
                  .orElse(S3Config.STORAGE_CLASS_DEFAULT);
          found.add(new Entry(name, object.size(), object.lastModified(), storageClass));
        }
      }
      more =
          Boolean.TRUE.equals(page.isTruncated())
              && !page.contents().isEmpty()
              && last.compareTo(config.prefix() + BEHIND_DIGITS) < 0;
    }
    return List.copyOf(found);
  }

  /** Reads the owner's mark, as the sweep does. */
  @Override
  public void login(Duration most) {
    try {
      client.getObjectAsBytes(
          request ->
              request
                  .bucket(config.bucket())
                  .key(config.prefix() + OWNER)
                  .overrideConfiguration(override -> override.apiCallTimeout(most)));
    } catch (S3Exception e) {
      String code = Optional.ofNullable(e.awsErrorDetails()).map(d -> d.errorCode()).orElse("");
      if (LOGIN.contains(code)) {
        throw new QueueException.Refused(
            "blob.login",
            "The keys of " + where() + " are refused: correct s3.access_key and s3.secret_key.",
            e);
      }
      if (!(e instanceof NoSuchKeyException)) {
        throw away(e);
      }
    } catch (SdkException e) {
      if (TlsRefusal.in(e)) {
        throw new QueueException.Refused(
            "blob.tls",
            "The certificate of the server of "
                + where()
                + " is not accepted, or it does not speak TLS: correct s3.endpoint, or what Java"
                + " trusts.",
            e);
      }
      throw away(e);
    }
  }

  @Override
  public Optional<String> owner() {
    return found(
            () ->
                client.getObjectAsBytes(
                    request -> request.bucket(config.bucket()).key(config.prefix() + OWNER)))
        .map(bytes -> bytes.asString(StandardCharsets.US_ASCII).strip());
  }

  @Override
  public void own(String installation) {
    BlobOwner.check(installation);
    call(
        () ->
            client.putObject(
                request -> request.bucket(config.bucket()).key(config.prefix() + OWNER),
                RequestBody.fromString(installation, StandardCharsets.US_ASCII)));
  }

  /**
   * A copy onto itself, the only way by which S3 changes a class. Not where the object changed
   * since it was listed. Blobs have no metadata; some servers take no such copy that keeps them.
   */
  @Override
  public boolean cool(Entry entry) {
    if (config.coldClass().isEmpty() || !entry.storageClass().equals(config.storageClass())) {
      return false;
    }
    String key = key(entry.sha256());
    return found(
            () ->
                client.copyObject(
                    request ->
                        request
                            .sourceBucket(config.bucket())
                            .sourceKey(key)
                            .copySourceIfUnmodifiedSince(entry.putAt().plus(HEADER_TIME_UNIT))
                            .destinationBucket(config.bucket())
                            .destinationKey(key)
                            .metadataDirective(MetadataDirective.REPLACE)
                            .contentType(CONTENT_TYPE)
                            .storageClass(config.coldClass().get())))
        .isPresent();
  }

  private String key(String sha256) {
    if (!Sha256.isHex(sha256)) {
      throw new QueueException.Blob(
          "blob.key", "A blob's name is a SHA-256 of 64 lower-case hex digits.", null);
    }
    return config.prefix() + sha256;
  }

  private <T> Optional<T> found(Supplier<T> request) {
    try {
      return Optional.of(request.get());
    } catch (NoSuchKeyException e) {
      return Optional.empty();
    } catch (S3Exception e) {
      if (e.statusCode() == NOT_FOUND || e.statusCode() == CHANGED) {
        return Optional.empty();
      }
      throw failure(e);
    } catch (SdkException e) {
      throw failure(e);
    }
  }

  private <T> T call(Supplier<T> request) {
    try {
      return request.get();
    } catch (SdkException e) {
      throw failure(e);
    }
  }

  private QueueException away(SdkException e) {
    QueueException failure = failure(e);
    return new QueueException.Unavailable(failure.code(), failure.getMessage(), e);
  }

  private QueueException failure(SdkException e) {
    if (e instanceof S3Exception answer && answer.statusCode() == FORBIDDEN) {
      return new QueueException.Blob(
          "blob.read_only",
          "The credentials may not use " + where() + "; correct them or the bucket's policy.",
          e);
    }
    return new QueueException.Blob(
        "blob.io", "Cannot read or write in " + where() + ": " + e.getMessage(), e);
  }

  private String where() {
    return "bucket "
        + config.bucket()
        + config.endpoint().map(uri -> " at " + uri).orElse(" of " + config.region());
  }

  @Override
  public void close() {
    client.close();
  }
}
