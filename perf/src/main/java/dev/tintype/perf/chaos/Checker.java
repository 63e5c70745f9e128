package dev.tintype.perf.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.perf.chaos.Calls.Answer;
import dev.tintype.perf.chaos.History.Promise;
import dev.tintype.perf.chaos.History.Seen;
import dev.tintype.perf.chaos.History.Submission;
import dev.tintype.queue.job.Sha256;
import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Compares what clients were told with what the platform shows once all is quiet. */
final class Checker {
  /** The gateway's own rate limit is the slowest thing here. */
  private static final int TRIES_MAX = 60;

  private static final int RETRY_MS = 500;
  private static final int PAGE = 100;

  private final Calls calls;
  private final Calls pictureCalls;
  private final History history;
  private final String origin;
  private final String apiKey;

  /** By recipe, the one picture that everybody must get. */
  private final Map<Integer, String> pictures = new TreeMap<>();

  private int checkedPictures;

  /**
   * @param pictureCalls to where pictures are served
   */
  Checker(Calls calls, Calls pictureCalls, History history, String origin, String apiKey) {
    this.calls = calls;
    this.pictureCalls = pictureCalls;
    this.history = history;
    this.origin = origin;
    this.apiKey = apiKey;
  }

  /** Looks at every job; violations go into the history. */
  void check() throws InterruptedException {
    for (Submission unanswered : history.unanswered()) {
      history.violation(
          Promise.BOUND, "no answer for key " + unanswered.key() + " after the faults were over");
    }
    for (Map.Entry<String, Submission> entry : history.accepted().entrySet()) {
      Optional<Answer> answer = patiently("/v1/jobs/" + entry.getKey());
      if (answer.isEmpty()) {
        history.violation(Promise.BOUND, "job " + entry.getKey() + " cannot be read");
      } else if (answer.get().status() == 404) {
        history.violation(Promise.LOST, "job " + entry.getKey() + " was accepted and is unknown");
      } else {
        job(entry.getKey(), entry.getValue(), answer.get().json());
      }
    }
    strangers();
  }

  /** Different pictures whose bytes were read and matched their name. */
  int checkedPictures() {
    return checkedPictures;
  }

  private void job(String id, Submission submission, JsonNode job) throws InterruptedException {
    String state = job.path("state").asText();
    history.state(id, state);
    switch (state) {
      case "succeeded" -> {
        if (history.withdrawn().contains(id)) {
          history.violation(Promise.FENCE, "job " + id + " was canceled and then succeeded");
        }
        picture(id, submission, job.path("images"));
      }
      case "failed", "dead", "expired" -> {
        if (job.path("error").path("code").asText().isEmpty()) {
          history.violation(Promise.LOST, "job " + id + " is " + state + " without a cause");
        }
      }
      case "canceled" -> {
        if (!history.cancelAsked().contains(id)) {
          history.violation(Promise.LOST, "job " + id + " is canceled and nobody asked for it");
        }
      }
      default ->
          history.violation(
              Promise.BOUND, "job " + id + " is still " + state + " after the faults were over");
    }
    if (!state.equals("succeeded") && !job.path("images").isEmpty()) {
      history.violation(Promise.FENCE, "job " + id + " is " + state + " and has pictures");
    }
    log(id, job);
  }

  private void picture(String id, Submission submission, JsonNode images)
      throws InterruptedException {
    if (images.size() != 1) {
      history.violation(
          images.isEmpty() ? Promise.LOST : Promise.DOUBLED,
          "job " + id + " succeeded with " + images.size() + " pictures instead of 1");
      return;
    }
    String sha256 = images.path(0).path("sha256").asText();
    String first = pictures.putIfAbsent(submission.recipe().number(), sha256);
    if (first != null) {
      if (!first.equals(sha256)) {
        history.violation(
            Promise.BYTES,
            "job " + id + " painted " + sha256 + ", the same recipe was " + first + " before");
      }
      return;
    }
    String path = URI.create(images.path(0).path("urls").path("original").asText()).getRawPath();
    Optional<Answer> bytes = patiently(pictureCalls, path);
    if (bytes.isEmpty() || bytes.get().status() != 200) {
      history.violation(Promise.LOST, "the picture of job " + id + " cannot be read");
    } else if (!Sha256.hex(bytes.get().body()).equals(sha256)) {
      history.violation(Promise.BYTES, "the picture of job " + id + " is not the one of its name");
    } else {
      checkedPictures++;
    }
  }

  /** Reads the log again from its start; the follower compares it with what others saw. */
  private void log(String id, JsonNode job) throws InterruptedException {
    if (!History.terminal(job.path("state").asText())) {
      return;
    }
    CountDownLatch never = new CountDownLatch(1);
    Follower follower = new Follower(origin, apiKey, id, history, never);
    for (int i = 0; i < TRIES_MAX && !follower.ended(); i++) {
      try {
        follower.follow();
      } catch (IOException e) {
        history.reconnects.incrementAndGet();
      }
      if (!follower.ended()) {
        never.await(RETRY_MS, TimeUnit.MILLISECONDS);
      }
    }
    Map<Long, Seen> log = history.log(id);
    long last = log.keySet().stream().mapToLong(Long::longValue).max().orElse(0);
    if (last != job.path("last_event_id").asLong()) {
      history.violation(
          Promise.FENCE,
          "job %s has %d events and tells of %d"
              .formatted(id, last, job.path("last_event_id").asLong()));
    }
    long attempt = job.path("attempt").asLong();
    Seen end = log.get(last);
    if (end != null && end.attempt() != attempt) {
      history.violation(
          Promise.FENCE,
          "job %s is at attempt %d and was ended by attempt %d"
              .formatted(id, attempt, end.attempt()));
    }
    Map<Long, Integer> leases = new TreeMap<>();
    log.values().stream()
        .filter(seen -> seen.type().equals("leased"))
        .forEach(seen -> leases.merge(seen.attempt(), 1, Integer::sum));
    leases.forEach(
        (of, count) -> {
          if (count > 1) {
            history.violation(
                Promise.FENCE,
                "attempt " + of + " of job " + id + " was leased " + count + " times");
          }
        });
  }

  /** Jobs that nobody was told of: a submission that was done twice. */
  private void strangers() throws InterruptedException {
    String next = "";
    do {
      Optional<Answer> page =
          patiently("/v1/jobs?limit=" + PAGE + (next.isEmpty() ? "" : "&before=" + next));
      if (page.isEmpty()) {
        history.violation(Promise.BOUND, "the list of jobs cannot be read");
        return;
      }
      JsonNode list = page.get().json();
      for (JsonNode job : list.path("jobs")) {
        String id = job.path("id").asText();
        if (!history.accepted().containsKey(id)) {
          history.violation(Promise.DOUBLED, "job " + id + " exists and nobody was told of it");
        }
      }
      next = list.path("next").asText("");
    } while (!next.isEmpty() && !next.equals("null"));
  }

  private Optional<Answer> patiently(String path) throws InterruptedException {
    return patiently(calls, path);
  }

  private static Optional<Answer> patiently(Calls calls, String path) throws InterruptedException {
    CountDownLatch never = new CountDownLatch(1);
    for (int i = 0; i < TRIES_MAX; i++) {
      Optional<Answer> answer = calls.get(path);
      if (answer.isPresent() && !answer.get().later()) {
        return answer;
      }
      never.await(RETRY_MS, TimeUnit.MILLISECONDS);
    }
    return Optional.empty();
  }
}
