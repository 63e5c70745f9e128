package dev.tintype.gateway;

import dev.tintype.gateway.metrics.ProcessMetric;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.fleet.ScalePolicy;
import dev.tintype.queue.relay.CostModel;
import dev.tintype.queue.store.AccountAdmin;
import dev.tintype.queue.store.AccountStore;
import dev.tintype.queue.store.EventHub;
import dev.tintype.queue.store.JobStore;
import dev.tintype.queue.store.UploadStore;
import dev.tintype.queue.webhook.WebhookPolicy;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;

/**
 * What the gateway stands on. It closes none of them.
 *
 * @param vertx of the server that the router belongs to
 * @param jobs the truth about jobs
 * @param accounts who owns which key
 * @param accountAdmin users, keys and tiers as admins change them
 * @param uploads who may start from which picture
 * @param blobs keeps the pictures that users send
 * @param events live events
 * @param models what can be asked for
 * @param links URLs of pictures
 * @param costs estimates jobs for the queue
 * @param limits counts requests, for all gateways that share it
 * @param fleet the workers, as they were a moment ago
 * @param scale how many workers each model should have
 * @param webhooks whether and where users may be told of their jobs' ends
 * @param metrics what the other parts of this process count; may grow
 * @param clock for caches
 * @param random draws seeds and request ids; thread-safe
 */
public record GatewayParts(
    Vertx vertx,
    JobStore jobs,
    AccountStore accounts,
    AccountAdmin accountAdmin,
    UploadStore uploads,
    BlobStore blobs,
    EventHub events,
    ModelCatalog models,
    ImageLinks links,
    CostModel costs,
    Ephemera limits,
    FleetView fleet,
    ScalePolicy scale,
    WebhookPolicy webhooks,
    List<ProcessMetric> metrics,
    Clock clock,
    RandomGenerator random) {

  public GatewayParts {
    Objects.requireNonNull(vertx);
    Objects.requireNonNull(jobs);
    Objects.requireNonNull(accounts);
    Objects.requireNonNull(accountAdmin);
    Objects.requireNonNull(uploads);
    Objects.requireNonNull(blobs);
    Objects.requireNonNull(events);
    Objects.requireNonNull(models);
    Objects.requireNonNull(links);
    Objects.requireNonNull(costs);
    Objects.requireNonNull(limits);
    Objects.requireNonNull(fleet);
    Objects.requireNonNull(scale);
    Objects.requireNonNull(webhooks);
    Objects.requireNonNull(metrics);
    Objects.requireNonNull(clock);
    Objects.requireNonNull(random);
  }
}
