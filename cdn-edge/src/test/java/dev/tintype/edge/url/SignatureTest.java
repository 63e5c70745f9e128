package dev.tintype.edge.url;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.edge.error.EdgeException;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SignatureTest {
  private static final String SHA =
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  private static final String OLD =
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  private static final String NEW =
      "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

  private static SigningKeys keys(String text) {
    return SigningKeys.parse(text);
  }

  /**
   * Made outside of Java, as docs/edge.md says: {@code printf %s /i/q:60,w:640/SHA.webp | openssl
   * dgst -sha256 -mac HMAC -macopt hexkey:... -binary | basenc --base64url | tr -d =}.
   */
  @Test
  void aSignatureMadeByOpensslFits() {
    String path = "/i/k1.I0jeM3F7MAI13zAW4Pso90kQlBf6-G_Lct8RMkrg78s/q:60,w:640/" + SHA + ".webp";
    ImageRequest request = ImageRequest.parse(keys("k1:" + OLD), path);
    assertThat(request.canonical()).isTrue();
    assertThat(request.sha256()).isEqualTo(SHA);
    assertThat(request.format()).contains(ImageFormat.WEBP);
    assertThat(
            new VariantUrls(keys("k1:" + OLD))
                .variant(SHA, Operations.parse("w:640,q:60"), ImageFormat.WEBP))
        .isEqualTo(path);
  }

  @Test
  void anOldKeyVerifiesAsLongAsItIsAlive() {
    String path = new VariantUrls(keys("old:" + OLD)).auto(SHA, Operations.of(Preset.CARD));
    SigningKeys both = keys("new:" + NEW + ",old:" + OLD);
    assertThat(ImageRequest.parse(both, path).canonical()).isTrue();
    assertThat(new VariantUrls(both).auto(SHA, Operations.of(Preset.CARD))).startsWith("/i/new.");
    assertThatThrownBy(() -> ImageRequest.parse(keys("new:" + NEW), path))
        .isInstanceOf(EdgeException.Forbidden.class);
  }

  @Test
  void everyChangedCharacterBreaksTheSignature() {
    SigningKeys keys = keys("k1:" + OLD);
    String path = new VariantUrls(keys).variant(SHA, Operations.parse("w:640"), ImageFormat.WEBP);
    for (int i = "/i/".length(); i < path.length(); i++) {
      char changed = path.charAt(i) == 'A' ? 'B' : 'A';
      String forged = path.substring(0, i) + changed + path.substring(i + 1);
      if (path.charAt(i) != '/') {
        assertThatThrownBy(() -> ImageRequest.parse(keys, forged))
            .as(forged)
            .isInstanceOf(EdgeException.Forbidden.class);
      }
    }
  }

  @Test
  void theSignatureIsCheckedBeforeTheGrammar() {
    assertThatThrownBy(() -> ImageRequest.parse(keys("k1:" + OLD), "/i/k1.x/nonsense/nonsense"))
        .isInstanceOf(EdgeException.Forbidden.class);
  }

  @Test
  void aSignedUrlThatIsNotCanonicalPointsToTheOneThatIs() {
    SigningKeys keys = keys("k1:" + OLD);
    String unsigned = "w:0640,q:60/" + SHA.toUpperCase(java.util.Locale.ROOT) + ".jpg";
    ImageRequest request = ImageRequest.parse(keys, ImageRequest.signed(keys, unsigned));
    assertThat(request.canonical()).isFalse();
    assertThat(request.canonicalPath())
        .isEqualTo(
            new VariantUrls(keys).variant(SHA, Operations.parse("q:60,w:640"), ImageFormat.JPEG));
    assertThat(ImageRequest.parse(keys, request.canonicalPath()).canonical()).isTrue();
  }

  @Test
  void escapedColonsAndCommasAreTheSameUrlButNotCanonical() {
    SigningKeys keys = keys("k1:" + OLD);
    String path =
        new VariantUrls(keys).variant(SHA, Operations.parse("q:60,w:640"), ImageFormat.JPEG);
    ImageRequest request = ImageRequest.parse(keys, path.replace(":", "%3A").replace(",", "%2c"));
    assertThat(request.canonical()).isFalse();
    assertThat(request.canonicalPath()).isEqualTo(path);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/i/",
        "/i/a",
        "/i/a/b",
        "/i/a/b/c/d",
        "/i/a/%2e%2e%2f/c",
        "/i/a/%zz/c",
        "/i/a/%/c",
        "/i/a/%00/c",
        "/i/a/%25/c",
      })
  void whatIsNoImagePathIsRefused(String path) {
    assertThatThrownBy(() -> ImageRequest.parse(keys("k1:" + OLD), path))
        .isInstanceOf(EdgeException.BadRequest.class);
  }

  @Test
  void badKeysAreRefusedWithoutShowingThem() {
    for (String text :
        List.of(
            "",
            "k1",
            "k1:zz",
            "k1:00",
            "k 1:" + OLD,
            "k1:" + OLD + ",k1:" + NEW,
            "k1:" + OLD + "0")) {
      assertThatThrownBy(() -> SigningKeys.parse(text))
          .as(text)
          .isInstanceOf(EdgeException.Config.class)
          .message()
          .doesNotContain(OLD);
    }
    assertThat(keys("k1:" + OLD).toString()).isEqualTo("SigningKeys[k1]");
  }

  @Test
  void theSignerRefusesWhatTheEdgeWouldRefuse() {
    VariantUrls urls = new VariantUrls(keys("k1:" + OLD));
    assertThatThrownBy(() -> urls.auto("nonsense", Operations.none()))
        .isInstanceOf(EdgeException.BadRequest.class);
    assertThatThrownBy(() -> urls.auto(SHA, Operations.none().width(0)))
        .isInstanceOf(EdgeException.BadRequest.class);
    assertThat(urls.original(SHA, ImageFormat.PNG)).endsWith("/orig/" + SHA + ".png");
    assertThat(Optional.of(urls.auto(SHA, Operations.none())))
        .hasValueSatisfying(path -> assertThat(path).endsWith(".auto"));
  }

  /** Text near the grammar, and text far from it. */
  @Provide
  Arbitrary<String> unsigned() {
    Arbitrary<String> operations =
        Arbitraries.of(
            "full",
            "w:10",
            "w:010,h:5",
            "orig",
            "exp:5,thumb",
            "q:5,q:6",
            "",
            "dpr:9",
            "fit:cover,h:1,w:1");
    Arbitrary<String> file =
        Arbitraries.of(SHA, SHA.toUpperCase(java.util.Locale.ROOT), SHA.substring(1), "", "..");
    Arbitrary<String> extension =
        Arbitraries.of(".webp", ".jpg", ".auto", ".svg", "", ".", ".png/x", ".png%2Fx");
    Arbitrary<String> near =
        Combinators.combine(operations, file, extension)
            .as((first, second, third) -> first + "/" + second + third);
    return Arbitraries.oneOf(near, Arbitraries.strings().ofMaxLength(300));
  }

  /**
   * Even with a good signature a path is either refused with a code or leads to one canonical path,
   * which leads to itself.
   */
  @Property(tries = 3000)
  void everySignedPathIsRefusedOrHasOneCanonicalForm(@ForAll("unsigned") String unsigned) {
    SigningKeys keys = keys("k1:" + OLD);
    ImageRequest request;
    try {
      request = ImageRequest.parse(keys, ImageRequest.signed(keys, unsigned));
    } catch (EdgeException refused) {
      assertThat(refused.status()).isIn(400, 403);
      return;
    }
    ImageRequest again = ImageRequest.parse(keys, request.canonicalPath());
    assertThat(again.canonical()).isTrue();
    assertThat(again.canonicalPath()).isEqualTo(request.canonicalPath());
    assertThat(again.sha256()).isEqualTo(request.sha256());
  }
}
