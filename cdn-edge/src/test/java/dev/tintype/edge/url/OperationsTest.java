package dev.tintype.edge.url;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.edge.error.EdgeException;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class OperationsTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "w:640,q:60|webp|q:60,w:640",
        "w:0640|webp|w:640",
        "dpr:2.50,w:10|webp|dpr:2.5,w:10",
        "dpr:1,w:10|webp|w:10",
        "dpr:2|webp|full",
        "fit:inside,w:10,h:10|webp|h:10,w:10",
        "fit:cover,w:10|webp|w:10",
        "fit:cover,w:10,h:10|webp|fit:cover,h:10,w:10",
        "fit:inside,thumb|webp|fit:inside,thumb",
        "full|webp|full",
        "full,w:10|webp|w:10",
        "q:60|png|full",
        "q:60|auto|q:60",
        "thumb,exp:12|avif|exp:12,thumb",
        "exp:12,orig|png|exp:12,orig",
        "g:center,fit:cover,w:10,h:10|webp|fit:cover,h:10,w:10",
        "g:smart,fit:cover,w:10,h:10|webp|fit:cover,g:smart,h:10,w:10",
        "g:smart,w:10,h:10|webp|h:10,w:10",
        "g:smart,w:10,fit:cover|webp|w:10",
        "g:smart,tile|webp|tile",
        "g:centre,tile|webp|g:centre,tile",
        "g:south,thumb|webp|g:south,thumb",
        "fit:inside,g:south,thumb|webp|fit:inside,thumb",
        "sharpen:1.0,blur:2.50|webp|refused",
        "sharpen:1.0,blur:02.5|webp|blur:2.5,sharpen:1",
        "bg:FFaa00|webp|bg:ffaa00",
        "progressive|jpeg|progressive",
        "progressive|webp|full",
        "progressive|auto|progressive",
        "lossless,q:50|webp|lossless",
        "lossless,q:50|jpeg|q:50",
        "lossless,q:50|png|full",
        "lossless,q:50|auto|lossless,q:50",
        "strip|webp|strip",
        "keep,og,watermark|png|keep,og,watermark",
      })
  void everyTextHasOneCanonicalForm(String text, String extension, String canonical) {
    if (canonical.equals("refused")) {
      assertThatThrownBy(() -> Operations.parse(text)).isInstanceOf(EdgeException.BadRequest.class);
      return;
    }
    assertThat(Operations.parse(text).canonical(ImageFormat.ofExtension(extension)))
        .isEqualTo(canonical);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ",",
        "w",
        "w:",
        "w:0",
        "w:-1",
        "w:+1",
        "w:1e3",
        "w:99999",
        "w:1,w:2",
        "thumb,card",
        "x:1",
        "fit:crop",
        "dpr:0.5",
        "dpr:5",
        "dpr:1.234",
        "dpr:NaN",
        "q:0",
        "q:101",
        "orig,w:1",
        "exp:",
        "exp:-1",
        "exp:999999999999",
        "w:１",
        "THUMB",
        "g:middle",
        "g:",
        "blur:0",
        "blur:0.2",
        "blur:50.1",
        "blur:1e9",
        "sharpen:11",
        "bg:fff",
        "bg:-fffff",
        "bg:gggggg",
        "keep,strip",
        "keep,keep",
        "lossless,lossless",
        "watermark:1",
        "orig,watermark",
        "orig,strip",
        "w:1,",
      })
  void whatIsNotInTheGrammarIsRefused(String text) {
    assertThatThrownBy(() -> Operations.parse(text))
        .isInstanceOfSatisfying(
            EdgeException.class, e -> assertThat(e.code()).isEqualTo("edge.ops.invalid"));
  }

  @Test
  void presetsAndPixelRatioResolve() {
    VariantSpec spec =
        Operations.parse("dpr:1.5,thumb").resolve(ImageFormat.WEBP, 8192, format -> 79);
    assertThat(spec.text()).isEqualTo("w384,h384,cover,q79,webp");
    assertThat(
            Operations.parse("fit:cover,h:256,w:256").resolve(ImageFormat.WEBP, 8192, format -> 79))
        .isEqualTo(Operations.parse("thumb").resolve(ImageFormat.WEBP, 8192, format -> 79));
    assertThat(Operations.parse("q:5,w:9").resolve(ImageFormat.PNG, 8192, format -> 1).quality())
        .isZero();
    assertThat(Operations.parse("og,watermark").resolve(ImageFormat.AVIF, 8192, f -> 50).text())
        .isEqualTo("w1200,h630,cover,smart,watermark,q50,avif");
    assertThat(
            Operations.parse("lossless,progressive,strip,bg:010203,q:4")
                .resolve(ImageFormat.WEBP, 8192, f -> 50)
                .text())
        .isEqualTo("w0,h0,inside,bg:010203,q0,lossless,strip,webp");
  }

  @Test
  void thePixelRatioCountsAgainstTheLargestSide() {
    assertThatThrownBy(
            () -> Operations.parse("dpr:4,w:3000").resolve(ImageFormat.PNG, 8192, format -> 1))
        .isInstanceOf(EdgeException.class)
        .hasMessageContaining("12000");
  }

  @Provide
  Arbitrary<String> texts() {
    Arbitrary<String> tokens =
        Arbitraries.oneOf(
            Arbitraries.of(
                "w:10",
                "h:20",
                "q:5",
                "fit:cover",
                "fit:inside",
                "dpr:2",
                "thumb",
                "card",
                "full",
                "og",
                "tile",
                "g:smart",
                "g:north",
                "blur:1.5",
                "sharpen:0.3",
                "bg:0a0b0c",
                "lossless",
                "progressive",
                "watermark",
                "keep",
                "strip",
                "orig",
                "exp:9"),
            Arbitraries.strings().withChars("whqfitdpr:.,0123456789-%/\u0000é").ofMaxLength(12));
    return tokens.list().ofMaxSize(6).map(list -> String.join(",", list));
  }

  /**
   * Whatever is accepted has a canonical form that is accepted, means the same, and is its own
   * canonical form.
   */
  @Property(tries = 3000)
  void canonicalFormsAreStable(@ForAll("texts") String text) {
    Operations operations;
    try {
      operations = Operations.parse(text);
    } catch (EdgeException refused) {
      return;
    }
    for (ImageFormat each : ImageFormat.values()) {
      Optional<ImageFormat> format = Optional.of(each);
      String canonical = operations.canonical(format);
      Operations again = Operations.parse(canonical);
      assertThat(again.canonical(format)).isEqualTo(canonical);
      assertThat(again.resolve(each, 16_383 * 4, f -> 79))
          .isEqualTo(operations.resolve(each, 16_383 * 4, f -> 79));
      assertThat(Operations.parse(operations.canonical(Optional.empty())).canonical(format))
          .as("auto says what each format needs")
          .isEqualTo(canonical);
    }
  }
}
