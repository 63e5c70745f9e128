package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.gateway.prompt.Size;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class GatewayConfigTest {
  private final GatewayConfig defaults = GatewayConfig.defaults();

  @Test
  void whatCannotWorkIsRefusedByName() {
    assertThatThrownBy(() -> new GatewayConfig.Rates(0, 1, 1, 1))
        .hasMessageContaining("requestsPerSecond");
    assertThatThrownBy(() -> new GatewayConfig.Rates(Double.NaN, 1, 1, 1))
        .hasMessageContaining("requestsPerSecond");
    assertThatThrownBy(() -> new GatewayConfig.Rates(1, 0, 1, 1))
        .hasMessageContaining("requestsBurst");
    Duration second = Duration.ofSeconds(1);
    for (Duration wrong : List.of(Duration.ZERO, Duration.ofDays(2))) {
      assertThatThrownBy(() -> new GatewayConfig.Streams(1, 1, wrong, second, second))
          .hasMessageContaining("heartbeat");
    }
    assertThatThrownBy(() -> defaults.withKeyCacheTime(Duration.ofDays(2)))
        .hasMessageContaining("keyCacheTime");
  }

  @Test
  void aModelCardRefusesDefaultsThatItsOwnModelCannotPaint() {
    assertThatThrownBy(
            () ->
                new ModelCard(
                    "m",
                    "",
                    new Size(250, 256),
                    128,
                    512,
                    1 << 20,
                    32,
                    20,
                    5,
                    0,
                    "ddim",
                    List.of("ddim"),
                    0))
        .hasMessageContaining("defaultSize");
    assertThatThrownBy(
            () ->
                new ModelCard(
                    "m",
                    "",
                    new Size(256, 256),
                    128,
                    512,
                    1 << 20,
                    32,
                    20,
                    5,
                    0,
                    "euler",
                    List.of("ddim"),
                    0))
        .hasMessageContaining("scheduler");
  }

  @Test
  void defaultsHoldThePromptLimit() {
    // 4,000 characters of four bytes, as \\uXXXX escapes of surrogate pairs 12 bytes each, twice
    // (negative prompt).
    assertThat(defaults.bodies().bytesMax()).isGreaterThan(4_000 * 12 + 4_000 * 4);
  }
}
