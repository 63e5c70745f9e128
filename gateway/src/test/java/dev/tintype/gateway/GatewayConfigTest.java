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
    assertThatThrownBy(() -> defaults.withRates(0, 1, 1, 1))
        .hasMessageContaining("requestsPerSecond");
    assertThatThrownBy(() -> defaults.withRates(Double.NaN, 1, 1, 1))
        .hasMessageContaining("requestsPerSecond");
    assertThatThrownBy(() -> defaults.withRates(1, 0, 1, 1)).hasMessageContaining("requestsBurst");
    assertThatThrownBy(
            () ->
                defaults.withStreams(
                    1, 1, Duration.ZERO, Duration.ofSeconds(1), Duration.ofSeconds(1)))
        .hasMessageContaining("heartbeat");
    assertThatThrownBy(
            () ->
                defaults.withStreams(
                    1, 1, Duration.ofDays(2), Duration.ofSeconds(1), Duration.ofSeconds(1)))
        .hasMessageContaining("heartbeat");
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
    assertThat(defaults.bodyBytesMax()).isGreaterThan(4_000 * 12 + 4_000 * 4);
  }
}
