package dev.tintype.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The tiers and what waits in them, through the admin API of a running server. */
@Command(
    name = "tiers",
    description = "Lists the tiers with what waits and runs in each; makes and changes them.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Needs a running server and the key of an admin. Relays see a change within a minute.",
      "",
      "Examples:",
      "  tintype tiers",
      "  tintype tiers set free --weight 2 --max-wait-s 1800",
      "  tintype tiers set night --weight 1 --max-wait-s 43200 --running-max 2 --queued-max 1000"
          + " \\",
      "      --retention-s 604800 --class relaxed",
      "  tintype tiers set enterprise --pool gold --pool-spills true"
    })
final class TiersCommand implements Runnable {
  @Mixin RemoteOptions remote;

  @Option(names = "--json", description = "One JSON object.")
  boolean json;

  @Override
  public void run() {
    try (ApiClient client = remote.client()) {
      JsonNode queue = client.get("/v1/admin/queue");
      if (json) {
        System.out.println(queue);
        return;
      }
      System.out.printf(
          "%-12s %6s %9s %8s %8s %11s %9s %9s %7s %8s %9s  %s%n",
          "tier",
          "weight",
          "bound s",
          "running",
          "queued",
          "retention",
          "class",
          "fast s",
          "waits",
          "runs",
          "oldest s",
          "pool");
      queue.path("tiers").forEach(TiersCommand::print);
    }
  }

  private static void print(JsonNode tier) {
    System.out.printf(
        "%-12s %6d %9d %8d %8d %9d d %9s %9s %7d %8d %9.1f  %s%n",
        tier.path("name").asText(),
        tier.path("weight").asInt(),
        tier.path("max_wait_s").asLong(),
        tier.path("running_max").asLong(),
        tier.path("queued_max").asLong(),
        tier.path("retention_s").asLong() / 86_400,
        tier.path("class").asText(),
        tier.path("fast_gpu_seconds").isNull()
            ? "no limit"
            : tier.path("fast_gpu_seconds").asText(),
        tier.path("queued").asLong(),
        tier.path("leased").asLong() + tier.path("running").asLong(),
        tier.path("oldest_wait_s").asDouble(),
        tier.path("pool").asText() + (tier.path("pool_spills").asBoolean() ? ", then shared" : ""));
  }

  @Command(
      name = "set",
      mixinStandardHelpOptions = true,
      description = "Makes a tier, or changes what is given of one.")
  void set(
      @Mixin RemoteOptions remote,
      @Parameters(paramLabel = "TIER") String name,
      @Option(names = "--weight", paramLabel = "N", description = "Share beside the others.")
          Long weight,
      @Option(names = "--max-wait-s", paramLabel = "S", description = "The bound of waiting.")
          Long maxWait,
      @Option(names = "--running-max", paramLabel = "N", description = "A user's jobs that run.")
          Long runningMax,
      @Option(names = "--queued-max", paramLabel = "N", description = "A user's unfinished jobs.")
          Long queuedMax,
      @Option(names = "--retention-s", paramLabel = "S", description = "How long pictures stay.")
          Long retention,
      @Option(names = "--class", paramLabel = "NAME", description = "relaxed, normal, priority.")
          String tierClass,
      @Option(
              names = "--fast-gpu-seconds",
              paramLabel = "S",
              description = "A user's GPU time in mode fast in 30 days; -1: no limit.")
          Long fast,
      @Option(
              names = "--pool",
              paramLabel = "NAME",
              description = "Workers that are its own, by their worker.pool; shared: none.")
          String pool,
      @Option(
              names = "--pool-spills",
              paramLabel = "true|false",
              arity = "1",
              description = "Whether it may use the shared workers when its pool is full.")
          Boolean spills) {
    ObjectNode body = ApiClient.object();
    put(body, "weight", weight);
    put(body, "max_wait_s", maxWait);
    put(body, "running_max", runningMax);
    put(body, "queued_max", queuedMax);
    put(body, "retention_s", retention);
    put(body, "fast_gpu_seconds", fast);
    if (tierClass != null) {
      body.put("class", tierClass);
    }
    if (pool != null) {
      body.put("pool", pool);
    }
    if (spills != null) {
      body.put("pool_spills", spills);
    }
    try (ApiClient client = remote.client()) {
      System.out.println(client.send("PUT", "/v1/admin/tiers/" + name, body));
    }
  }

  private static void put(ObjectNode body, String field, Long value) {
    if (value != null) {
      body.put(field, value);
    }
  }
}
