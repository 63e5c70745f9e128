package dev.tintype.worker.picture;

import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.worker.WorkerException;
import dev.tintype.worker.engine.Picture;
import dev.tintype.worker.engine.StartPictures;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Reads what a job starts from out of the blob store: PNG and JPEG by the JDK's own decoders, sizes
 * checked before pixels are. Cut and scaled to the job's size.
 */
public final class StoredPictures {
  /** The gateway takes 16 MiB; a worker's own PNG may be larger. */
  private static final int FILE_BYTES_MAX = 64 * 1024 * 1024;

  private static final long AREA_PIXELS_MAX = 70_000_000;
  private static final List<String> FORMATS = List.of("png", "JPEG");

  private final BlobStore blobs;

  public StoredPictures(BlobStore blobs) {
    this.blobs = blobs;
  }

  /**
   * @throws WorkerException.Unsuitable worker.image where a picture is gone or cannot be decoded
   */
  public StartPictures of(JobSpec spec) {
    return new StartPictures(
        spec.initImage().map(sha256 -> read("init_image", sha256, spec, 255)),
        // What is transparent in a mask stays.
        spec.maskImage().map(sha256 -> read("mask", sha256, spec, 0)));
  }

  private Picture read(String field, String sha256, JobSpec spec, int background) {
    byte[] file = bytes(field, sha256);
    Picture whole;
    try {
      whole = decode(file, background);
    } catch (IOException | RuntimeException e) {
      // The JDK's decoders raise many kinds for a damaged file, and none is ours to tell apart.
      throw unsuitable(field, "cannot be decoded; send it again as a plain PNG or JPEG");
    }
    return Resampling.cover(whole, spec.width(), spec.height());
  }

  private byte[] bytes(String field, String sha256) {
    Optional<InputStream> blob = blobs.open(sha256);
    if (blob.isEmpty()) {
      throw unsuitable(field, "is no longer in the store; send it again to POST /v1/images");
    }
    try (InputStream in = blob.get()) {
      byte[] file = in.readNBytes(FILE_BYTES_MAX + 1);
      if (file.length > FILE_BYTES_MAX) {
        throw unsuitable(field, "is larger than " + FILE_BYTES_MAX + " bytes");
      }
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Picture decode(byte[] file, int background) throws IOException {
    for (String format : FORMATS) {
      Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
      ImageReader reader = readers.next();
      try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
        if (!reader.getOriginatingProvider().canDecodeInput(in)) {
          continue;
        }
        reader.setInput(in, true, true);
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        if (pixels > AREA_PIXELS_MAX) {
          throw new IOException("too many pixels");
        }
        return rgb(reader.read(0), background);
      } finally {
        reader.dispose();
      }
    }
    throw new IOException("neither PNG nor JPEG");
  }

  /** sRGB over a grey background where it is transparent. */
  private static Picture rgb(BufferedImage image, int background) {
    int width = image.getWidth();
    byte[] rgb = new byte[Math.multiplyExact(width * 3, image.getHeight())];
    int[] row = new int[width];
    int at = 0;
    for (int y = 0; y < image.getHeight(); y++) {
      image.getRGB(0, y, width, 1, row, 0, width);
      for (int argb : row) {
        int alpha = argb >>> 24;
        for (int shift = 16; shift >= 0; shift -= 8) {
          int over = (argb >> shift & 0xff) * alpha + background * (255 - alpha);
          rgb[at++] = (byte) ((over + 127) / 255);
        }
      }
    }
    return new Picture(width, image.getHeight(), rgb);
  }

  private static WorkerException.Unsuitable unsuitable(String field, String problem) {
    return new WorkerException.Unsuitable(
        "worker.image", "The picture that " + field + " names " + problem + ".");
  }
}
