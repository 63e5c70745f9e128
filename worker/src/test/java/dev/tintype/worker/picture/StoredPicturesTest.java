package dev.tintype.worker.picture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.DirectoryBlobStore;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.worker.WorkerException;
import dev.tintype.worker.engine.Picture;
import dev.tintype.worker.engine.StartPictures;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoredPicturesTest {
  @TempDir Path folder;
  private BlobStore blobs;
  private StoredPictures pictures;

  @BeforeEach
  void open() {
    blobs = new DirectoryBlobStore(folder);
    pictures = new StoredPictures(blobs, new JdkDecoder());
  }

  private StartPictures read(byte[] init, int width, int height) {
    return pictures.of(
        JobSpec.builder("m", "p").size(width, height).initImage(blobs.put(init)).build());
  }

  private static Picture noise(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    new SplittableRandom(5).nextBytes(rgb);
    return new Picture(width, height, rgb);
  }

  private static byte[] file(String format, int type, int width, int height, int argb)
      throws IOException {
    BufferedImage image = new BufferedImage(width, height, type);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, argb);
      }
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(image, format, out);
    return out.toByteArray();
  }

  @Test
  void aPngOfTheSameSizeIsItsVeryPixels() {
    Picture picture = noise(24, 16);
    Picture read = read(PngEncoder.encode(picture, List.of()), 24, 16).init().orElseThrow();
    assertThat(read.rgb()).isEqualTo(picture.rgb());
  }

  @Test
  void otherSizesAreScaledAndCutAboutTheMiddle() {
    // Left half black, right half white; the middle square of it has the edge in its middle.
    byte[] rgb = new byte[64 * 16 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i / 3 % 64 < 32 ? 0 : 255);
    }
    Picture wide = new Picture(64, 16, rgb);
    Picture cut = read(PngEncoder.encode(wide, List.of()), 8, 8).init().orElseThrow();
    assertThat(cut.rgb()[0]).isEqualTo((byte) 0);
    assertThat(cut.rgb()[7 * 3]).isEqualTo((byte) 255);
    assertThat(cut.rgb()[3 * 3] & 0xff).isLessThan(128);
    assertThat(cut.rgb()[4 * 3] & 0xff).isGreaterThan(127);
  }

  @Test
  void whatIsMuchLargerIsDecodedInABoundedSize() throws IOException {
    PictureDecoder decoder = new JdkDecoder();
    for (int[] size : new int[][] {{1_000, 1_000}, {4_000, 40}, {40, 4_000}, {127, 127}, {31, 9}}) {
      for (String format : List.of("png", "jpeg")) {
        byte[] large = file(format, BufferedImage.TYPE_INT_RGB, size[0], size[1], 0xff405060);
        Picture small = decoder.decode(large, 32, 32, 0);
        int least = Math.min(32, Math.min(size[0], size[1]));
        int most = 32 * JdkDecoder.FINER_MAX + 2 * (JdkDecoder.FINER_MAX + 2);
        assertThat(small.width()).isBetween(least, most);
        assertThat(small.height()).isBetween(least, most);
        assertThat(small.rgb()[0] & 0xff).isBetween(0x3e, 0x42);
      }
    }
  }

  @Test
  void cuttingWhileDecodingChangesNoPixel() {
    Picture wide = noise(300, 40);
    assertThat(read(PngEncoder.encode(wide, List.of()), 16, 24).init().orElseThrow().rgb())
        .isEqualTo(Resampling.cover(wide, 16, 24).rgb());
  }

  @Test
  void ofWhatIsLeftOutTheMiddleStaysInTheMiddle() {
    byte[] rgb = new byte[800 * 400 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i / 3 % 800 < 400 ? 0 : 255);
    }
    Picture cut =
        read(PngEncoder.encode(new Picture(800, 400, rgb), List.of()), 8, 8).init().orElseThrow();
    assertThat(cut.rgb()[2 * 3]).isEqualTo((byte) 0);
    assertThat(cut.rgb()[5 * 3]).isEqualTo((byte) 255);
  }

  @Test
  void aStoreThatCannotBeReadIsNotThePicturesFault() throws IOException {
    String sha256 = blobs.put(new byte[] {1, 2, 3});
    Path file = blobs.file(sha256).orElseThrow();
    // A folder in the file's place can be opened and not be read, like a disk with a bad sector.
    Files.delete(file);
    Files.createDirectory(file);
    JobSpec spec = JobSpec.builder("m", "p").initImage(sha256).build();
    assertThatThrownBy(() -> pictures.of(spec))
        .isInstanceOfSatisfying(
            QueueException.Blob.class, e -> assertThat(e.code()).isEqualTo("blob.io"))
        .hasRootCauseInstanceOf(IOException.class);
  }

  @Test
  void theDecodersReasonIsKept() {
    assertThatThrownBy(() -> read(new byte[] {1, 2, 3}, 8, 8))
        .isInstanceOf(WorkerException.Unsuitable.class)
        .hasRootCauseMessage("neither PNG nor JPEG");
  }

  @Test
  void scalingKeepsAFlatColourExactly() {
    byte[] rgb = new byte[50 * 30 * 3];
    Arrays.fill(rgb, (byte) 77);
    for (int side : new int[] {8, 16, 64, 104}) {
      assertThat(Resampling.cover(new Picture(50, 30, rgb), side, side).rgb())
          .containsOnly((byte) 77);
    }
  }

  @Test
  void jpegAndTransparencyAreRead() throws IOException {
    byte[] jpeg = file("jpeg", BufferedImage.TYPE_INT_RGB, 16, 16, 0xffc86432);
    Picture read = read(jpeg, 16, 16).init().orElseThrow();
    assertThat(read.rgb()[0] & 0xff).isBetween(195, 205);
    byte[] clear = file("png", BufferedImage.TYPE_INT_ARGB, 16, 16, 0x00ff0000);
    assertThat(read(clear, 16, 16).init().orElseThrow().rgb()).containsOnly((byte) 255);
    StartPictures masked =
        pictures.of(
            JobSpec.builder("m", "p")
                .size(16, 16)
                .initImage(blobs.put(jpeg))
                .maskImage(blobs.put(clear))
                .build());
    assertThat(masked.mask().orElseThrow().rgb()).containsOnly((byte) 0);
  }

  @Test
  void damagedFilesAreRefusedAndNothingElse() {
    byte[] whole = PngEncoder.encode(noise(24, 16), List.of());
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < 300; i++) {
      byte[] damaged =
          Arrays.copyOf(whole, i % 3 == 0 ? random.nextInt(whole.length) : whole.length);
      for (int hit = 0; hit < 4 && damaged.length > 0; hit++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      try {
        assertThat(read(damaged, 24, 16).init()).isPresent();
      } catch (WorkerException.Unsuitable e) {
        assertThat(e.code()).isEqualTo("worker.image");
      }
    }
  }

  @Test
  void whatIsNotThereIsSaid() {
    JobSpec spec = JobSpec.builder("m", "p").initImage("0".repeat(64)).build();
    assertThatThrownBy(() -> pictures.of(spec))
        .isInstanceOf(WorkerException.Unsuitable.class)
        .hasMessageContaining("init_image");
    assertThat(pictures.of(JobSpec.builder("m", "p").build())).isEqualTo(StartPictures.NONE);
  }
}
