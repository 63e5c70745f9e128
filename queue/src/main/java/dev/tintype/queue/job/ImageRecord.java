package dev.tintype.queue.job;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.queue.QueueException;
import java.util.Optional;
import java.util.OptionalLong;

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
 * @param gpuMs what it took of a device, in ms: its part of every step that it shared. Over all
 *     pictures the time that the device was busy for them. Empty where it is not known, such as
 *     where an earlier attempt did a part
 */
public record ImageRecord(
    int index,
    String sha256,
    int width,
    int height,
    long seed,
    long bytes,
    Optional<String> thumbHash,
    OptionalLong gpuMs) {
  /** Of a picture that nobody measured. */
  public ImageRecord(
      int index,
      String sha256,
      int width,
      int height,
      long seed,
      long bytes,
      Optional<String> thumbHash) {
    this(index, sha256, width, height, seed, bytes, thumbHash, OptionalLong.empty());
  }

  public ImageRecord {
    if (index < 0
        || index >= JobSpec.IMAGES_MAX
        || !Sha256.isHex(sha256)
        || width < 1
        || height < 1
        || bytes < 1
        || gpuMs.orElse(0) < 0) {
      throw new QueueException.Invalid(
          "job.image", "A picture has an index, a SHA-256 in hex, a size in pixels and bytes.");
    }
  }

  /**
   * As shown in events: {@code
   * {"index":0,"sha256":"..","width":512,"height":512,"seed":7,"bytes":123,"thumb_hash":"..","gpu_ms":812}}.
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
    gpuMs.ifPresent(ms -> node.put("gpu_ms", ms));
    return node.toString();
  }
}
