package dev.tintype.node;

/**
 * How much of a user's the gateway takes; beyond it answers 429.
 *
 * @param requestsPerSecond of any kind, steadily
 * @param requestsBurst at once after a pause
 * @param submitsPerSecond new jobs and pictures to start from, steadily
 * @param submitsBurst at once after a pause
 */
public record GatewayRates(
    int requestsPerSecond, int requestsBurst, int submitsPerSecond, int submitsBurst) {
  /** What a laptop and a small server need. */
  public static final GatewayRates DEFAULT = new GatewayRates(50, 200, 20, 100);
}
