package dev.tintype.node;

import dev.tintype.gateway.metrics.ProcessMetric;
import dev.tintype.queue.SteadyClock;
import dev.tintype.queue.fleet.ScaleHook;
import dev.tintype.queue.fleet.Workforce;
import dev.tintype.queue.relay.FairPolicy;
import dev.tintype.queue.relay.Relay;
import dev.tintype.queue.relay.RelayConfig;
import dev.tintype.queue.store.FleetLock;
import dev.tintype.queue.store.WebhookOutbox;
import dev.tintype.queue.transport.JobTransport;
import dev.tintype.queue.webhook.SignedPost;
import dev.tintype.queue.webhook.WebhookSender;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/** A process that relays: for the worker beside it, or for a fleet. */
final class RelayRole {
  private static final double MS_PER_S = 1e3;

  private RelayRole() {}

  /**
   * A relay for all workers of the fleet. Where they tell each other by Redis what they serve, it
   * sends what they can take; else it knows its own shelf alone, and a number from the settings.
   */
  static void startForFleet(Parts parts, ModelShelf shelf) {
    boolean told = parts.config().fleet().redis().isPresent();
    if (!told) {
      shelf.choose(Optional.empty()); // A relay without a model would relay nothing, in silence.
    }
    Set<String> names =
        shelf.models().stream().map(found -> found.card().name()).collect(Collectors.toSet());
    Workforce own = Workforce.of(names, parts.config().fleet()::relaySlots);
    start(parts, told ? Workforce.of(parts.fleet(), own) : own, names);
    parts
        .teller()
        .accept("relay", told ? "for what the workers serve" : "for " + String.join(", ", names));
  }

  /**
   * Whoever relays also clears away, rows and blobs, tells users of their jobs' ends, and an
   * autoscaler what is wanted.
   *
   * @param models that are on this process's shelf
   */
  static void start(Parts parts, Workforce workforce, Set<String> models) {
    NodeConfig config = parts.config();
    StoreParts store = parts.store();
    Closers closers = parts.closers();
    config.fleet().webhooks().ifPresent(webhooks -> sendWebhooks(parts, webhooks));
    config.fleet().scaleWebhook().ifPresent(hook -> tellAutoscaler(parts, hook, models));
    if (config.fleet().kafka().isPresent()) {
      parts.metrics().add(deadLetters(parts.transport()));
    }
    closers.add("sweeper", Storage.sweeper(config, store.ledger(), parts.blobs(), closers).start());
    closers.add(
        "relay",
        new Relay(
                store.jobs(),
                store.accounts()::tiers,
                parts.transport(),
                pool -> new FairPolicy(store.accounts().tiers(), parts.random()),
                RelayConfig.DEFAULT,
                workforce,
                new SteadyClock())
            .start(store.signals()));
  }

  private static void sendWebhooks(Parts parts, WebhookSettings webhooks) {
    WebhookOutbox outbox = parts.store().webhooks();
    SignedPost post = new SignedPost(webhooks.secret(), webhooks.allowPrivate(), Clock.systemUTC());
    WebhookSender sender =
        parts
            .closers()
            .add(
                "webhooks",
                new WebhookSender(outbox, parts.store().jobs(), post, parts.random()).start());
    parts
        .metrics()
        .addAll(
            List.of(
                new ProcessMetric(
                    "tintype_webhooks_total",
                    "Webhooks that this process tried to send, by outcome.",
                    "outcome",
                    () -> sender.counts().byOutcome()),
                new ProcessMetric(
                    "tintype_webhooks_waiting",
                    "Webhooks that are owed, of all processes together.",
                    () -> Map.of("", outbox.waiting().rows())),
                new ProcessMetric(
                    "tintype_webhooks_oldest_seconds",
                    "How long the oldest of them is owed.",
                    () -> Map.of("", outbox.waiting().oldest().toMillis() / MS_PER_S))));
  }

  private static void tellAutoscaler(Parts parts, ScaleWebhook webhook, Set<String> models) {
    StoreParts store = parts.store();
    ScaleHook hook =
        parts
            .closers()
            .add(
                "scale",
                new ScaleHook(
                        parts.config().fleet().scale(),
                        webhook.settings(),
                        new ScaleHook.Sources(
                            store.jobs()::load, store.accounts()::tiers, parts.fleet(), models),
                        new FleetLock(store.database(), ScaleHook.TASK),
                        new SignedPost(webhook.secret(), true, Clock.systemUTC()),
                        new SteadyClock(),
                        Clock.systemUTC(),
                        parts.random())
                    .start());
    parts
        .metrics()
        .add(
            new ProcessMetric(
                "tintype_scale_webhooks_total",
                "Calls of the autoscaler by this process, by outcome.",
                "outcome",
                hook::counts));
    parts.teller().accept("scale", "changes are told to " + webhook.settings().url().getHost());
  }

  private static ProcessMetric deadLetters(JobTransport transport) {
    return new ProcessMetric(
        "tintype_dead_letters_total",
        "Records in Kafka's dead-letter topic so far, of all processes together.",
        () -> {
          OptionalLong records = transport.deadLetters();
          return records.isPresent() ? Map.of("", records.getAsLong()) : Map.of();
        });
  }
}
