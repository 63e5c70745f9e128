package dev.tintype.worker.checkpoint;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Sha256;
import dev.tintype.worker.checkpoint.Checkpoint.Content;
import dev.tintype.worker.engine.PaintingState;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;

/**
 * A checkpoint as bytes, little-endian: magic and format, fingerprint (32 bytes), attempt, index,
 * kind, content, and the SHA-256 of all before it. 64 KiB of latent at 512 x 512 with 4 channels,
 * twice that for a multistep solver.
 */
final class CheckpointCodec {
  /** "TTC" and the number of this format. */
  private static final int MAGIC = 0x54544301;

  private static final int DIGEST_BYTES = 32;
  private static final int HEAD_BYTES = 4 + DIGEST_BYTES + 4 + 4 + 1;
  private static final byte UNFINISHED = 0;
  private static final byte STORED = 1;
  private static final int NO_HISTORY = -1;

  private CheckpointCodec() {}

  /**
   * What must agree for a checkpoint to be of use.
   *
   * @param parts such as program, model, device and recipe
   */
  static byte[] fingerprint(String... parts) {
    MessageDigest digest = Sha256.digest();
    for (String part : parts) {
      byte[] text = part.getBytes(StandardCharsets.UTF_8);
      digest.update(ByteBuffer.allocate(4).putInt(text.length).array());
      digest.update(text);
    }
    return digest.digest();
  }

  static byte[] write(Checkpoint checkpoint, byte[] fingerprint) {
    byte[] body =
        switch (checkpoint.content()) {
          case Content.Unfinished(PaintingState state) -> unfinished(state);
          case Content.Stored(ImageRecord image) -> stored(image);
        };
    ByteBuffer bytes = buffer(HEAD_BYTES + body.length + DIGEST_BYTES);
    bytes.putInt(MAGIC).put(fingerprint).putInt(checkpoint.attempt()).putInt(checkpoint.index());
    bytes.put(checkpoint.content() instanceof Content.Stored ? STORED : UNFINISHED).put(body);
    MessageDigest digest = Sha256.digest();
    digest.update(bytes.array(), 0, bytes.position());
    return bytes.put(digest.digest()).array();
  }

  /** Empty for what is damaged, of another format, or of another fingerprint. */
  static Optional<Checkpoint> read(byte[] file, byte[] fingerprint) {
    int end = file.length - DIGEST_BYTES;
    if (end < HEAD_BYTES) {
      return Optional.empty();
    }
    MessageDigest digest = Sha256.digest();
    digest.update(file, 0, end);
    if (!MessageDigest.isEqual(digest.digest(), Arrays.copyOfRange(file, end, file.length))) {
      return Optional.empty();
    }
    ByteBuffer bytes = ByteBuffer.wrap(file, 0, end).order(ByteOrder.LITTLE_ENDIAN);
    try {
      return read(bytes, fingerprint);
    } catch (BufferUnderflowException | IllegalArgumentException | QueueException.Invalid e) {
      return Optional.empty();
    }
  }

  private static Optional<Checkpoint> read(ByteBuffer bytes, byte[] fingerprint) {
    int magic = bytes.getInt();
    byte[] itsFingerprint = new byte[DIGEST_BYTES];
    bytes.get(itsFingerprint);
    if (magic != MAGIC || !Arrays.equals(itsFingerprint, fingerprint)) {
      return Optional.empty();
    }
    int attempt = bytes.getInt();
    int index = bytes.getInt();
    Content content =
        bytes.get() == STORED
            ? new Content.Stored(image(bytes))
            : new Content.Unfinished(state(bytes));
    return Optional.of(new Checkpoint(index, attempt, content));
  }

  private static byte[] unfinished(PaintingState state) {
    int history = state.history().map(values -> values.length).orElse(NO_HISTORY);
    int floats = state.latents().length + Math.max(0, history);
    ByteBuffer bytes = buffer(3 * 4 + floats * Float.BYTES);
    bytes.putInt(state.step()).putInt(state.latents().length).putInt(history);
    for (float value : state.latents()) {
      bytes.putFloat(value);
    }
    for (float value : state.history().orElse(new float[0])) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  private static PaintingState state(ByteBuffer bytes) {
    int step = bytes.getInt();
    int count = bytes.getInt();
    int history = bytes.getInt();
    float[] latents = floats(bytes, count);
    return new PaintingState(
        step,
        latents,
        history == NO_HISTORY ? Optional.empty() : Optional.of(floats(bytes, history)));
  }

  private static float[] floats(ByteBuffer bytes, int count) {
    if (count < 0 || count > bytes.remaining() / Float.BYTES) {
      throw new IllegalArgumentException("there are not " + count + " numbers");
    }
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = bytes.getFloat();
    }
    return values;
  }

  private static byte[] stored(ImageRecord image) {
    byte[] sha256 = image.sha256().getBytes(StandardCharsets.US_ASCII);
    byte[] thumb = image.thumbHash().orElse("").getBytes(StandardCharsets.US_ASCII);
    ByteBuffer bytes = buffer(sha256.length + 3 * 4 + 2 * 8 + thumb.length);
    bytes.put(sha256).putInt(image.index()).putInt(image.width()).putInt(image.height());
    return bytes.putLong(image.seed()).putLong(image.bytes()).put(thumb).array();
  }

  private static ImageRecord image(ByteBuffer bytes) {
    String sha256 = text(bytes, 2 * DIGEST_BYTES);
    int index = bytes.getInt();
    int width = bytes.getInt();
    int height = bytes.getInt();
    long seed = bytes.getLong();
    long size = bytes.getLong();
    String thumb = text(bytes, bytes.remaining());
    return new ImageRecord(
        index,
        sha256,
        width,
        height,
        seed,
        size,
        thumb.isEmpty() ? Optional.empty() : Optional.of(thumb));
  }

  private static String text(ByteBuffer bytes, int count) {
    byte[] text = new byte[count];
    bytes.get(text);
    return new String(text, StandardCharsets.US_ASCII);
  }

  private static ByteBuffer buffer(int count) {
    return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
  }
}
