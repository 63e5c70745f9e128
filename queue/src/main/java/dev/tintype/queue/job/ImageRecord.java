package dev.tintype.queue.job;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.queue.QueueException;
import java.util.Optional;

/**
 * One finished picture of a job.
 *
 * @param index place in the job, from 0
 * @param sha256 of the stored original; its name in the blob store, 64 hex digits
 * @param width pixels
 * @param height pixels
 * @param seed that this very picture was painted with
 * @param bytes size of the stored original
 * @param thumbHash Base64 of the ThumbHash (about 30 bytes that show a blurred picture before it
 *     loads), or empty
 */
public record ImageRecord(
    int index,
    String sha256,
    int width,
    int height,
    long seed,
    long bytes,
    Optional<String> thumbHash) {
  public ImageRecord {
    if (index < 0
        || index >= JobSpec.IMAGES_MAX
        || !Sha256.isHex(sha256)
        || width < 1
        || height < 1
        || bytes < 1) {
      throw new QueueException.Invalid(
          "job.image", "A picture has an index, a SHA-256 in hex, a size in pixels and bytes.");
    }
  }

  /**
   * As shown in events: {@code
   * {"index":0,"sha256":"..","width":512,"height":512,"seed":7,"bytes":123,"thumb_hash":".."}}.
   */
  public String toJson() {
    ObjectNode node = Json.object();
    node.put("index", index);
    node.put("sha256", sha256);
    node.put("width", width);
    node.put("height", height);
    node.put("seed", seed);
    node.put("bytes", bytes);
    thumbHash.ifPresent(hash -> node.put("thumb_hash", hash));
    return node.toString();
  }
}
