package dev.tintype.queue.blob;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What can be made again of a blob, such as a picture in another size, kept beside the blobs for
 * all processes. Its name says how it was made, not what its bytes are, so their digest is kept
 * with them and checked. Errors are {@link dev.tintype.queue.QueueException.Blob}.
 */
public interface DerivedStore {
  /** Largest derived thing. */
  int BYTES_MAX = 64 * 1024 * 1024;

  /**
   * The bytes, or empty where they are not there.
   *
   * @param sha256 the blob
   * @param name 1 to 64 hexadecimal digits
   * @throws dev.tintype.queue.QueueException.Blob blob.io also where the bytes are not those that
   *     were put
   */
  Optional<byte[]> get(String sha256, String name);

  /**
   * Puts or replaces.
   *
   * @param mediaType what the bytes are, such as {@code image/webp}
   */
  void put(String sha256, String name, String mediaType, byte[] bytes);

  /** Most things that {@link #list} returns at once. */
  int LIST_MAX = 1000;

  /**
   * One derived thing.
   *
   * @param sha256 the blob
   * @param putAt when it was put the last time, as the store's own clock has it
   */
  record Entry(String sha256, String name, Instant putAt) {
    /** Where a listing goes on behind it. */
    public String position() {
      return sha256 + "/" + name;
    }
  }

  /**
   * A page in the order of blobs and names.
   *
   * @param after the {@link Entry#position} of the last of the page before, or any text to begin
   *     behind; the empty text for the first page
   * @param limit 1 to {@link #LIST_MAX}
   * @return empty at the end
   */
  List<Entry> list(String after, int limit);

  /** Removes one, if it is there. */
  void delete(Entry entry);

  /**
   * Removes everything that was made of a blob.
   *
   * @return how much was there
   */
  int forget(String sha256);
}
