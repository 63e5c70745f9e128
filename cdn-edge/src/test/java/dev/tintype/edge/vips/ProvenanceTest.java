package dev.tintype.edge.vips;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The mark of generated pictures is in every variant, and the recipe unless stripped. Variants are
 * read back by walking their containers and with the JDK's XML parser, not with libvips.
 */
final class ProvenanceTest {
  private static final String TYPE =
      "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
  private static final String RECIPE = "a red sun\nSteps: 20, Seed: 7, Model: tintype-mini";
  private static Transcoder transcoder;
  private static Transcoder stripping;

  @BeforeAll
  static void load() {
    EdgeConfig.Encoder e = EdgeConfig.Encoder.defaults();
    EdgeConfig.Limits limits = EdgeConfig.Limits.defaults();
    EdgeConfig.Watermark none = EdgeConfig.Watermark.none();
    EdgeConfig.Watermark mark =
        new EdgeConfig.Watermark(Optional.of("tintype"), Optional.empty(), 60, 25, none.tiers());
    transcoder = new Transcoder(Loaded.vips(), e, limits, mark);
    stripping =
        new Transcoder(
            Loaded.vips(),
            new EdgeConfig.Encoder(1, 1, 80, 79, 50, 0, false, e.library()),
            limits,
            mark);
  }

  private static byte[] original() {
    return Pictures.withText(
        Pictures.withXmp(Pictures.png(200, 100), Pictures.xmp(TYPE)), "parameters", RECIPE);
  }

  private static byte[] make(Transcoder with, byte[] png, String text, ImageFormat output)
      throws IOException {
    return with.transcode(
        new OriginalImage.InMemory(png),
        Operations.parse(text).resolve(output, 8192, EdgeConfig.Encoder.defaults()::quality),
        new KillSwitch());
  }

  static Stream<Arguments> everyKindOfVariant() {
    List<Arguments> all = new ArrayList<>();
    for (ImageFormat output : ImageFormat.values()) {
      for (String text :
          List.of(
              "full",
              "w:64",
              "thumb",
              "fit:contain,h:64,w:64",
              "fit:cover,g:smart,h:64,w:64",
              "bg:102030,blur:2,sharpen:1",
              "lossless",
              "progressive",
              "strip",
              "strip,thumb,watermark",
              "keep,watermark")) {
        all.add(Arguments.of(output, text));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("everyKindOfVariant")
  void theMarkOfGeneratedPicturesIsInEveryVariant(ImageFormat output, String text)
      throws Exception {
    assertThat(Containers.sourceType(make(transcoder, original(), text, output))).contains(TYPE);
    assertThat(Containers.sourceType(make(stripping, original(), text, output))).contains(TYPE);
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void theRecipeIsThereUnlessStripped(ImageFormat output) throws Exception {
    assertThat(Containers.contains(make(transcoder, original(), "full", output), "Seed: 7"))
        .isTrue();
    assertThat(Containers.contains(make(stripping, original(), "keep", output), "Seed: 7"))
        .isTrue();
    assertThat(Containers.contains(make(transcoder, original(), "strip", output), "Seed: 7"))
        .isFalse();
    assertThat(Containers.contains(make(stripping, original(), "full", output), "Seed: 7"))
        .isFalse();
  }

  @Test
  void whatIsNotGeneratedIsNotMarked() throws Exception {
    for (ImageFormat output : ImageFormat.values()) {
      byte[] png = Pictures.png(64, 64);
      assertThat(Containers.sourceType(make(transcoder, png, "full", output))).isEmpty();
      assertThat(Containers.xmp(make(transcoder, png, "strip", output))).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "<r Iptc4xmpExt:DigitalSourceType='trainedAlgorithmicMedia'/>|trainedAlgorithmicMedia",
        "<a:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture</a:DigitalSourceType>|digitalCapture",
        "<a:DigitalSourceType rdf:resource='x'> compositeSynthetic </a>|compositeSynthetic",
        "DigitalSourceType ="
            + " \"https://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia\"|algorithmicMedia",
        "DigitalSourceType='\"/><script>'|",
        "DigitalSourceType|",
        "nothing|",
      })
  void theSourceTypeIsFoundInEveryWayOfWritingIt(String xmp, String type) {
    assertThat(Provenance.sourceType(xmp)).isEqualTo(Optional.ofNullable(type));
  }

  @Test
  void theVersionTellsWhatIsKept() {
    assertThat(stripping.version()).isNotEqualTo(transcoder.version());
  }
}
