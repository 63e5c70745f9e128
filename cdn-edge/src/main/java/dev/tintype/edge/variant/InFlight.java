package dev.tintype.edge.variant;

import dev.tintype.edge.vips.KillSwitch;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;

/** One variant in the making, and all who wait for it. */
final class InFlight {
  final VariantKey key;
  final long startNs;
  final CompletableFuture<Served> result = new CompletableFuture<>();
  final KillSwitch kill = new KillSwitch();
  volatile ScheduledFuture<?> deadline;

  /** Whether it counts against its original. */
  volatile boolean admitted;

  InFlight(VariantKey key, long startNs) {
    this.key = key;
    this.startNs = startNs;
  }
}
