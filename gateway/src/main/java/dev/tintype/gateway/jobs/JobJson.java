package dev.tintype.gateway.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.ImageLinks;
import dev.tintype.gateway.ModelCard;
import dev.tintype.gateway.http.Json;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.job.JobState;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * How jobs, pictures and models look on the wire; gateway/openapi.json describes the same and a
 * test compares them.
 */
public final class JobJson {
  private final ImageLinks links;

  public JobJson(ImageLinks links) {
    this.links = links;
  }

  /**
   * How far a job is.
   *
   * @param step denoising steps done
   * @param steps denoising steps in all
   */
  public record Progress(int step, int steps) {}

  /**
   * How long a job may wait.
   *
   * @param ahead estimate of how many jobs will run before this one
   * @param expectedWait from the acceptance to the start; known in the answer to the submission
   */
  public record Queue(long ahead, Optional<Duration> expectedWait) {}

  /**
   * @param progress of a running job, when known
   * @param queue of a queued job
   * @param stages milliseconds by stage, as the worker measured them
   */
  public ObjectNode job(
      Job job, Optional<Progress> progress, Optional<Queue> queue, Optional<JsonNode> stages) {
    ObjectNode node = Json.object();
    node.put("id", job.id().value()).put("state", job.state().wire());
    node.put("cancel_requested", job.cancelRequested());
    node.put("tier", job.tier()).put("mode", job.mode().wire());
    node.set("recipe", recipe(job.spec()));
    node.set("progress", progress.map(JobJson::progress).orElse(null));
    node.set("queue", queue.map(JobJson::queue).orElse(null));
    ArrayNode images = node.putArray("images");
    job.images().forEach(image -> images.add(image(image, job.tier())));
    node.set(
        "error",
        job.failure()
            .filter(failure -> job.state() != JobState.SUCCEEDED)
            .map(
                failure ->
                    Json.object().put("code", failure.code()).put("message", failure.message()))
            .orElse(null));
    node.putNull("notice");
    node.put("attempt", job.attempt());
    node.put("last_event_id", job.lastSeq());
    node.put("created_at", job.createdAt().toString());
    node.put("started_at", job.startedAt().map(Instant::toString).orElse(null));
    node.put("finished_at", job.finishedAt().map(Instant::toString).orElse(null));
    node.set("timings", timings(job).set("stages_ms", stages.orElse(null)));
    node.set("links", jobLinks(job));
    return node;
  }

  /**
   * A stored picture with its URLs.
   *
   * @param tier of its job
   */
  public ObjectNode image(ImageRecord image, String tier) {
    ImageLinks.Urls urls = links.urls(image.sha256(), image.width(), image.height(), tier);
    ObjectNode node = Json.object();
    node.put("index", image.index());
    node.put("sha256", image.sha256());
    node.put("seed", image.seed());
    node.put("width", image.width());
    node.put("height", image.height());
    node.put("bytes", image.bytes());
    node.put("thumb_hash", image.thumbHash().orElse(null));
    node.put("gpu_ms", image.gpuMs().isPresent() ? image.gpuMs().getAsLong() : null);
    node.putObject("urls")
        .put("original", urls.original())
        .put("webp", urls.webp())
        .put("avif", urls.avif())
        .put("jpeg", urls.jpeg())
        .put("thumb", urls.thumb());
    return node;
  }

  static ObjectNode model(ModelCard model, boolean isDefault) {
    ObjectNode node = Json.object();
    node.put("name", model.name())
        .put("description", model.description())
        .put("default", isDefault);
    node.putObject("size")
        .put("width", model.defaultSize().width())
        .put("height", model.defaultSize().height())
        .put("side_min", model.sideMin())
        .put("side_max", model.sideMax())
        .put("pixels_max", model.pixelsMax())
        .put("granularity", model.granularity());
    node.putObject("defaults")
        .put("steps", model.steps())
        .put("guidance_scale", model.guidanceScale())
        .put("guidance_rescale", model.guidanceRescale())
        .put("scheduler", model.scheduler());
    ArrayNode schedulers = node.putArray("schedulers");
    model.schedulers().forEach(schedulers::add);
    node.put("clip_skip_max", model.clipSkipMax());
    return node;
  }

  private static ObjectNode recipe(JobSpec spec) {
    return Json.object()
        .put("model", spec.model())
        .put("prompt", spec.prompt())
        .put("negative_prompt", spec.negativePrompt())
        .put("width", spec.width())
        .put("height", spec.height())
        .put("steps", spec.steps())
        .put("guidance_scale", spec.guidanceScale())
        .put("guidance_rescale", spec.guidanceRescale())
        .put("scheduler", spec.scheduler().orElse(null))
        .put("seed", spec.seed())
        .put("images", spec.images())
        .put("clip_skip", spec.clipSkip())
        .put("init_image", spec.initImage().orElse(null))
        .put("strength", spec.initImage().map(sha -> spec.strength()).orElse(null))
        .put("mask", spec.maskImage().orElse(null));
  }

  /** Why a job that was asked for in mode fast is not. */
  static ObjectNode fastUsedUp() {
    return Json.object()
        .put("code", "mode.fast_used_up")
        .put(
            "message",
            "You have used what your tier allows of mode fast in 30 days, so this job runs in mode"
                + " normal.");
  }

  private static ObjectNode queue(Queue queue) {
    return Json.object()
        .put("ahead", queue.ahead())
        .put("expected_wait_ms", queue.expectedWait().map(Duration::toMillis).orElse(null));
  }

  private static ObjectNode progress(Progress progress) {
    return Json.object().put("step", progress.step()).put("steps", progress.steps());
  }

  private static ObjectNode timings(Job job) {
    ObjectNode node = Json.object();
    Optional<Instant> start = job.startedAt();
    Optional<Instant> end = job.finishedAt();
    node.put(
        "queued_ms", start.or(() -> end).map(until -> millis(job.createdAt(), until)).orElse(null));
    node.put(
        "running_ms", start.flatMap(from -> end.map(until -> millis(from, until))).orElse(null));
    node.put("total_ms", end.map(until -> millis(job.createdAt(), until)).orElse(null));
    return node;
  }

  private static long millis(Instant from, Instant until) {
    return Math.max(0, Duration.between(from, until).toMillis());
  }

  private static ObjectNode jobLinks(Job job) {
    String self = "/v1/jobs/" + job.id().value();
    return Json.object().put("self", self).put("events", self + "/events");
  }
}
