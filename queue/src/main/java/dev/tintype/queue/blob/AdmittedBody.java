package dev.tintype.queue.blob;

import java.io.EOFException;
import java.io.IOException;
import java.util.Optional;
import java.util.function.LongConsumer;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Reads an object once its size was admitted. What the admission throws is kept for the caller: the
 * SDK would wrap it.
 */
final class AdmittedBody implements ResponseTransformer<GetObjectResponse, byte[]> {
  private static final byte[] NOTHING = {};

  private final LongConsumer admission;
  private Optional<RuntimeException> refusal = Optional.empty();

  AdmittedBody(LongConsumer admission) {
    this.admission = admission;
  }

  @Override
  public byte[] transform(GetObjectResponse head, AbortableInputStream in) throws IOException {
    long length = Math.min(head.contentLength(), BlobStore.BLOB_BYTES_MAX);
    try {
      admission.accept(length);
    } catch (RuntimeException e) {
      refusal = Optional.of(e);
      in.abort();
      return NOTHING;
    }
    byte[] bytes = new byte[Math.toIntExact(length)];
    if (in.readNBytes(bytes, 0, bytes.length) < bytes.length) {
      throw new EOFException("the object ended before its " + length + " bytes");
    }
    return bytes;
  }

  void throwRefusal() {
    if (refusal.isPresent()) {
      throw refusal.get();
    }
  }
}
