package dev.tintype.worker.picture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.JobSpec;
import dev.tintype.worker.engine.Picture;
import dev.tintype.worker.picture.PngEncoder.Text;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The JDK's own reader is the judge. */
class PngEncoderTest {
  @ParameterizedTest
  @CsvSource({"1,1,1", "7,3,2", "64,64,3", "3,200,4", "256,100,5"})
  void theReaderOfTheJdkSeesEveryPixel(int width, int height, long seed) throws IOException {
    byte[] rgb = new byte[width * height * 3];
    new Random(seed).nextBytes(rgb);
    for (int i = rgb.length / 2; i < rgb.length; i++) {
      rgb[i] = (byte) (i / 7); // Half noise, half smooth, so that every filter wins somewhere.
    }
    byte[] png = PngEncoder.encode(new Picture(width, height, rgb), List.of());
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
    assertThat(image.getWidth()).isEqualTo(width);
    assertThat(image.getHeight()).isEqualTo(height);
    byte[] seen = new byte[rgb.length];
    for (int i = 0; i < width * height; i++) {
      int pixel = image.getRGB(i % width, i / width);
      seen[i * 3] = (byte) (pixel >> 16);
      seen[i * 3 + 1] = (byte) (pixel >> 8);
      seen[i * 3 + 2] = (byte) pixel;
    }
    assertThat(seen).isEqualTo(rgb);
  }

  @Test
  void everyChunkHasItsLengthAndChecksum() {
    byte[] png =
        PngEncoder.encode(
            new Picture(2, 2, new byte[12]),
            List.of(new Text("parameters", "käse"), new Text("note", "赤い太陽")));
    ByteBuffer in = ByteBuffer.wrap(png).position(8);
    List<String> types = new ArrayList<>();
    while (in.hasRemaining()) {
      int length = in.getInt();
      byte[] data = new byte[length + 4];
      in.get(data);
      CRC32 crc = new CRC32();
      crc.update(data);
      assertThat(in.getInt()).isEqualTo((int) crc.getValue());
      types.add(new String(data, 0, 4, StandardCharsets.US_ASCII));
    }
    // Latin-1 goes into tEXt, the rest into iTXt, as readers of recipes expect.
    assertThat(types).containsExactly("IHDR", "sRGB", "tEXt", "iTXt", "IDAT", "IEND");
  }

  @Test
  void theRecipeReadsAsOtherToolsWriteIt() {
    JobSpec spec =
        JobSpec.builder("tintype-mini", "a red sun")
            .negativePrompt("people")
            .size(384, 256)
            .steps(12)
            .guidanceScale(5)
            .seed(40)
            .images(3)
            .build();
    assertThat(RecipeText.parameters(spec, 2, "ddim", "0123456789abcdef"))
        .isEqualTo(
            """
            a red sun
            Negative prompt: people
            Steps: 12, Sampler: ddim, CFG scale: 5, Seed: 42, Size: 384x256, \
            Model hash: 0123456789abcdef, Model: tintype-mini\
            """);
    assertThat(RecipeText.of(spec, 0, "ddim", "").getLast().text())
        .contains("digitalsourcetype/trainedAlgorithmicMedia");
  }
}
