package dev.tintype.queue.blob;

import dev.tintype.queue.QueueException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongConsumer;

/**
 * Content-addressed bytes. Errors are {@link dev.tintype.queue.QueueException.Blob}: blob.full,
 * blob.read_only, blob.io, blob.too_large.
 *
 * <p>A blob has no counter of references that could run away from the truth: who names it stands in
 * the database. Whoever deletes what nobody names ({@link dev.tintype.queue.sweep.BlobSweep}) meets
 * the moment between a put and the row that names the blob; therefore every put renews the blob's
 * time, and {@link #delete(String, Instant)} leaves what is young.
 */
public interface BlobStore {
  /** Largest blob. */
  int BLOB_BYTES_MAX = 256 * 1024 * 1024;

  /** Name of the mark of {@link #own}, beside the blobs. */
  String OWNER = "owner";

  /** Longest such mark, in characters. */
  int OWNER_CHARS_MAX = 64;

  /** Most blobs that {@link #list} returns at once. */
  int LIST_MAX = 1000;

  /**
   * One blob.
   *
   * @param sha256 its name
   * @param bytes its size
   * @param putAt when it was put the last time, as the store's own clock has it
   * @param storageClass what it costs to keep and to read, as S3 names it; empty where the store
   *     knows no classes
   */
  record Entry(String sha256, long bytes, Instant putAt, String storageClass) {}

  /**
   * One look at a start whether the server lets us in; nothing where there is none.
   *
   * @param most how long it may take
   * @throws QueueException.Refused where it answers and does not
   * @throws QueueException.Unavailable where it does not answer
   */
  default void login(Duration most) {}

  /**
   * Stores the bytes durably and returns their SHA-256 in lower-case hex. Idempotent; where the
   * blob is there already, its time is renewed.
   */
  String put(byte[] bytes);

  /**
   * The bytes, or empty where no such blob is; code {@code blob.key} if the text is no SHA-256 in
   * lower-case hex.
   */
  Optional<InputStream> open(String sha256);

  /**
   * The bytes, in memory that was asked for.
   *
   * @param admission told the size before that much memory is taken; may be told again where the
   *     store has to be asked again. What it throws goes on to the caller, and nothing is read
   */
  default Optional<byte[]> read(String sha256, LongConsumer admission) {
    OptionalLong size = size(sha256);
    if (size.isEmpty()) {
      return Optional.empty();
    }
    admission.accept(size.getAsLong());
    Optional<InputStream> found = open(sha256);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    try (InputStream in = found.get()) {
      return Optional.of(in.readNBytes(BLOB_BYTES_MAX));
    } catch (IOException e) {
      throw new QueueException.Blob("blob.io", "Blob " + sha256 + " could not be read.", e);
    }
  }

  /**
   * The blob as a file of this machine, where it is one: it can then be decoded and sent without
   * passing through the heap. Empty where no such blob is, and always for a store that is
   * elsewhere.
   */
  default Optional<Path> file(String sha256) {
    return Optional.empty();
  }

  /** The size in bytes, or empty where no such blob is. */
  OptionalLong size(String sha256);

  default boolean exists(String sha256) {
    return size(sha256).isPresent();
  }

  /** False where no such blob was. */
  boolean delete(String sha256);

  /**
   * Deletes a blob unless it was put again since: a put that runs beside this either finds the blob
   * and keeps it alive, or stores it anew.
   *
   * @param notPutSince a blob with a later {@link Entry#putAt} stays
   * @return whether it was deleted
   */
  boolean delete(String sha256, Instant notPutSince);

  /**
   * A page of the blobs in the order of their names. What is put or deleted meanwhile may or may
   * not be in it.
   *
   * @param after the last name of the page before; the empty text for the first page
   * @param limit 1 to {@link #LIST_MAX}
   * @return empty at the end
   */
  List<Entry> list(String after, int limit);

  /** The installation that this store belongs to, as the last {@link #own} said; empty if none. */
  Optional<String> owner();

  /**
   * Marks the store as that installation's: two databases over one store would delete one another's
   * pictures.
   *
   * @param installation 1 to {@link #OWNER_CHARS_MAX} letters, digits and hyphens
   */
  void own(String installation);

  /**
   * Moves an old blob to the store's cold class, in place; that renews its time.
   *
   * @param entry from {@link #list}, of this moment
   * @return whether it was moved; false always where no cold class is configured, and where the
   *     blob is not in the class of new ones
   */
  default boolean cool(Entry entry) {
    return false;
  }

  /**
   * Removes what writes and deletes that broke off have left, if it is older than that.
   *
   * @return how many pieces were removed
   */
  default int tidy(Instant before) {
    return 0;
  }
}
