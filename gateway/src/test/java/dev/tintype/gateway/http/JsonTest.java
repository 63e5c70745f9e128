package dev.tintype.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tintype.gateway.problem.GatewayException.RequestException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  private static RequestException refusal(byte[] body) {
    return catchThrowableOfType(RequestException.class, () -> Json.readObject(body));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "{'a':1,}",
        "{'a':1}{",
        "{'a':1} x",
        "{'a':NaN}",
        "{'a':Infinity}",
        "{'a':01}",
        "{'a':1,'a':2}",
        "{a:1}",
        "// no\n{}",
        "{'a':'\u0001'}",
        "[[[[[[[[[[[[]]]]]]]]]]]]",
        "{'a':1111111111111111111111111111111111111111111111111111111111111111111111}"
      })
  void whatIsNotJsonIsRefusedInOneLine(String body) {
    RequestException refused = refusal(body.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    assertThat(refused).as(body).isNotNull();
    assertThat(refused.code()).isEqualTo("json.malformed");
    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.getMessage())
        .hasSizeLessThan(300)
        .doesNotContain("\n", "com.fasterxml", "java.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "  ", "[]", "1", "null", "\"a\"", "true"})
  void otherJsonIsRefused(String body) {
    assertThat(refusal(body.getBytes(StandardCharsets.UTF_8)).code())
        .isEqualTo("json.not_an_object");
  }

  @Test
  void brokenUtf8IsRefused() {
    assertThat(refusal(new byte[] {'{', '"', (byte) 0xc3, '"', ':', '1', '}'}).code())
        .isEqualTo("json.malformed");
    assertThat(
            refusal(
                    new byte[] {
                      '{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"', ':', '1', '}'
                    })
                .code())
        .isEqualTo("json.malformed");
  }

  @Test
  void unicodeIsKept() {
    assertThat(
            Json.readObject("{\"a\":\"夜🏔️\"}".getBytes(StandardCharsets.UTF_8))
                .get("a")
                .textValue())
        .isEqualTo("夜🏔️");
  }
}
