package dev.tintype.queue.store;

import dev.tintype.queue.job.UploadRecord;
import java.util.List;
import java.util.Optional;

/**
 * Who may start from which stored picture. Bytes are shared by content, permission is not: knowing
 * the SHA-256 of somebody's picture gives nobody the right to paint from it.
 */
public interface UploadStore {
  /** Most uploads of one user; beyond, an upload is refused until old ones are swept. */
  int UPLOADS_PER_USER_MAX = 10_000;

  /**
   * Whether {@link #add} would take that picture now: asked before its bytes are stored, so that a
   * user without room fills no disk.
   */
  boolean hasRoom(String userId, String sha256);

  /**
   * Notes that the user has uploaded that picture; idempotent.
   *
   * @return false where the user has {@link #UPLOADS_PER_USER_MAX} others already
   */
  boolean add(String userId, UploadRecord upload);

  /** The picture, where the user uploaded it or a job of the user's painted it. */
  Optional<UploadRecord> find(String userId, String sha256);

  /** Most pictures in one answer of {@link #ownedAlone}. */
  int PAGE_MAX = 1000;

  /**
   * A page of the pictures that a user has uploaded or had painted and nobody else has, in the
   * order of their names.
   *
   * @param after the last name of the page before; the empty text for the first page
   * @param limit 1 to {@link #PAGE_MAX}
   */
  List<String> ownedAlone(String userId, String after, int limit);

  /** Forgets who uploaded a picture: nobody may start from it any more. */
  void forget(String sha256);
}
