package dev.tintype.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.url.ImageFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class NegotiationTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // Chrome, Firefox, Safari 16 and 14, an old Safari, curl
        "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8|AVIF",
        "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5|AVIF",
        "image/webp,image/avif,image/jxl,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5|AVIF",
        "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5|WEBP",
        "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5|JPEG",
        "*/*|JPEG",
        "image/*|JPEG",
        "text/html|JPEG",
        "image/avif;q=0|JPEG",
        "image/avif;q=0,image/webp|WEBP",
        "image/avif;q=0.5,image/webp;q=0.9|WEBP",
        "image/avif;q=0.5,image/webp;q=0.5|AVIF",
        "image/avif;q=0.5,image/jpeg|JPEG",
        "image/webp;q=0.5,*/*|JPEG",
        "image/webp;q=0.5,*/*;q=0.1|WEBP",
        "IMAGE/AVIF ; Q=1.000|AVIF",
        "image/avif;q=nan|JPEG",
        "image/avif;q=2|JPEG",
        "image/png|PNG",
        "image/png,image/jpeg|JPEG",
        "image/webp, ,;,q=1|WEBP",
      })
  void acceptCollapsesToOneFormat(String accept, ImageFormat expected) {
    assertThat(Negotiation.choose(accept)).isEqualTo(expected);
  }

  @Test
  void nothingAndTooMuchMeanJpeg() {
    assertThat(Negotiation.choose(null)).isEqualTo(ImageFormat.JPEG);
    assertThat(Negotiation.choose("")).isEqualTo(ImageFormat.JPEG);
    assertThat(Negotiation.choose(",;,")).isEqualTo(ImageFormat.JPEG);
    assertThat(Negotiation.choose("image/avif," + " ".repeat(2000))).isEqualTo(ImageFormat.JPEG);
  }
}
