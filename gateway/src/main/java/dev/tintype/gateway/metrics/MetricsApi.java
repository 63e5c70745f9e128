package dev.tintype.gateway.metrics;

import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.admin.FleetApi;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.http.SharedAnswer;
import dev.tintype.gateway.problem.GatewayException.UnavailableException;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.QueueLoad;
import dev.tintype.queue.store.Tier;
import io.vertx.core.Future;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import java.util.function.ToDoubleFunction;

/**
 * GET /metrics. Needs no key, as scrapers expect, and names no user, prompt or job. The database is
 * asked at most once at a time and once in {@link #FRESH_MS}, however many ask.
 */
public final class MetricsApi {
  /** Age up to which an answer is given again, ms. */
  static final long FRESH_MS = 2_000;

  private static final double MS_PER_S = 1e3;

  /**
   * @param load empty while the database is away
   */
  private record Seen(
      Optional<List<QueueLoad>> load,
      List<Tier> tiers,
      FleetView fleet,
      List<ProcessMetric.Seen> own) {}

  private final GatewayParts parts;
  private final SubmitMetrics submits;
  private final IntSupplier streams;

  private final SharedAnswer<byte[]> page;

  /**
   * @param streams event streams that are open
   */
  public MetricsApi(
      GatewayParts parts, BlockingCalls calls, SubmitMetrics submits, IntSupplier streams) {
    this.parts = parts;
    this.submits = submits;
    this.streams = streams;
    this.page =
        new SharedAnswer<>(
            parts.vertx(),
            parts.clock(),
            FRESH_MS,
            () -> calls.run(this::load).recover(MetricsApi::noAnswer).map(this::write));
  }

  /**
   * 200 even while the database is away: then {@code tintype_store_up} is 0 and its part is
   * missing.
   */
  public Future<Reply> scrape() {
    return page.get().map(MetricsApi::reply);
  }

  /** Silence of the database is something to show; anything else is a defect of ours. */
  private static Future<Seen> noAnswer(Throwable cause) {
    return cause instanceof UnavailableException slow && slow.code().equals("gateway.timeout")
        ? Future.succeededFuture(
            new Seen(Optional.empty(), List.of(), FleetView.UNKNOWN, List.of()))
        : Future.failedFuture(cause);
  }

  private static Reply reply(byte[] page) {
    return new Reply.Body(200, Exposition.CONTENT_TYPE, page, Map.of());
  }

  private Seen load() {
    List<ProcessMetric.Seen> own = parts.metrics().stream().map(ProcessMetric::look).toList();
    try {
      return new Seen(
          Optional.of(parts.jobs().load()), parts.accounts().tiers(), parts.fleet().still(), own);
    } catch (QueueException e) {
      return new Seen(Optional.empty(), List.of(), parts.fleet().still(), own);
    }
  }

  private byte[] write(Seen seen) {
    Optional<List<QueueLoad>> load = seen.load();
    Exposition page = new Exposition();
    page.gauge("tintype_store_up", "1 while the database answers.", load.isPresent() ? 1 : 0);
    load.ifPresent(groups -> queue(page, groups));
    FleetMetrics.write(page, seen.fleet(), load.orElse(List.of()), seen.tiers());
    load.ifPresent(
        groups ->
            FleetMetrics.wanted(page, FleetApi.wanted(parts, seen.fleet(), groups, seen.tiers())));
    seen.own().forEach(one -> one.write(page));
    submits.write(page);
    page.gauge("tintype_event_streams", "Open event streams.", streams.getAsInt());
    runtime(page);
    return page.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void queue(Exposition page, List<QueueLoad> load) {
    List<QueueLoad> waiting = load.stream().filter(one -> one.state() == JobState.QUEUED).toList();
    groups(page, "tintype_jobs", "Jobs that have not ended, and dead ones.", load, QueueLoad::jobs);
    groups(
        page,
        "tintype_queue_age_seconds",
        "How long the oldest queued job has waited.",
        waiting,
        one -> one.oldest().toMillis() / MS_PER_S);
    groups(
        page,
        "tintype_queue_backlog_gpu_seconds",
        "Estimated work that waits: scale workers by it.",
        waiting,
        one -> one.costMs() / MS_PER_S);
    groups(
        page,
        "tintype_jobs_lapsed_leases",
        "Crashes that the jobs of tintype_jobs have behind them.",
        load,
        QueueLoad::crashes);
    groups(
        page,
        "tintype_jobs_errors",
        "Errors that the jobs of tintype_jobs have behind them.",
        load,
        QueueLoad::errors);
  }

  private static void groups(
      Exposition page,
      String name,
      String help,
      List<QueueLoad> groups,
      ToDoubleFunction<QueueLoad> value) {
    page.family(name, "gauge", help);
    for (QueueLoad group : groups) {
      Map<String, String> labels = new TreeMap<>();
      labels.put("tier", group.tier());
      labels.put("model", group.model());
      labels.put("state", group.state().wire());
      page.sample(name, labels, value.applyAsDouble(group));
    }
  }

  static void runtime(Exposition page) {
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    page.gauge("jvm_heap_used_bytes", "Heap in use.", heap.getUsed());
    page.gauge("jvm_heap_max_bytes", "Most heap that may be used.", heap.getMax());
    page.gauge(
        "jvm_threads", "Platform threads.", ManagementFactory.getThreadMXBean().getThreadCount());
    String pauses = "jvm_gc_seconds_total";
    page.family(pauses, "counter", "Time spent by garbage collectors.");
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      page.sample(
          pauses,
          Map.of("gc", collector.getName()),
          Math.max(0, collector.getCollectionTime()) / MS_PER_S);
    }
    page.gauge(
        "process_start_time_seconds",
        "Start of the process, Unix time.",
        ManagementFactory.getRuntimeMXBean().getStartTime() / MS_PER_S);
  }
}
