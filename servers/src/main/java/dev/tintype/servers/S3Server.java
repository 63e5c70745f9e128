package dev.tintype.servers;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.gaul.s3proxy.AccessGrant;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

/** s3proxy over a folder: the S3 protocol on 127.0.0.1, signatures checked. */
public final class S3Server {
  /** Of the only user. */
  public static final String ACCESS_KEY = "tintype";

  private static final int HEAP_MB = 128;

  private S3Server() {}

  /** Buckets are folders below {@code folder/NAME-buckets}; this one is made. */
  public static ChildProcess of(
      String name, Path folder, int port, String bucket, String secretKey) {
    Path settings = folder.resolve(name + ".properties").toAbsolutePath();
    Path buckets = folder.resolve(name + "-buckets").toAbsolutePath();
    Properties properties = new Properties();
    properties.setProperty("port", Integer.toString(port));
    properties.setProperty("secret", secretKey);
    properties.setProperty("buckets", buckets.toString());
    try {
      Files.createDirectories(buckets.resolve(bucket));
      try (var writer = Files.newBufferedWriter(settings)) {
        properties.store(writer, null);
      }
      if (!settings.toFile().setReadable(false, false) || !settings.toFile().setReadable(true)) {
        throw new IOException(settings + " cannot be made private");
      }
    } catch (IOException e) {
      throw new ServerException("s3proxy's settings cannot be written: " + e.getMessage(), e);
    }
    return new ChildProcess(
        name,
        folder,
        JavaCommand.of(
            HEAP_MB, JavaCommand.LIGHT, S3Server.class.getName(), List.of(settings.toString())),
        Map.of(),
        Readiness.http("http://127.0.0.1:" + port + "/"),
        Duration.ofSeconds(60));
  }

  /** The child. s3proxy's own main sends its errors to a log that sends them back. */
  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    try (var reader = Files.newBufferedReader(Path.of(arguments[0]))) {
      settings.load(reader);
    }
    BlobStore buckets = new FilesystemNio2BlobStore(settings.getProperty("buckets"));
    S3Proxy proxy =
        S3Proxy.builder()
            .awsAuthentication(
                AuthenticationType.AWS_V4, ACCESS_KEY, settings.getProperty("secret"))
            .blobStore(buckets)
            .endpoint(URI.create("http://127.0.0.1:" + settings.getProperty("port")))
            .build();
    proxy.setBlobStoreLocator(
        (identity, container, blob) ->
            ACCESS_KEY.equals(identity)
                ? new AccessGrant(settings.getProperty("secret"), buckets)
                : null);
    proxy.start();
  }
}
