package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.store.WebhookOutbox.Owed;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WebhookOutboxTest {
  private TestDatabase db;
  private WebhookOutbox outbox;

  @BeforeEach
  void open() {
    db = TestDatabase.create();
    outbox = new PostgresWebhookOutbox(db.database);
  }

  @AfterEach
  void close() {
    db.close();
  }

  /**
   * @param ageS how long they have been due; negative: not yet
   */
  private void owe(String user, int count, int ageS) {
    db.database.call(
        connection ->
            Sql.update(
                connection,
                "INSERT INTO webhooks (job_id, seq, user_id, url, event, ended_at, due_at)"
                    + " SELECT overlay(gen_random_uuid()::text placing '7' from 15 for 1)::uuid, 1,"
                    + " ?, 'https://' || ? || '.example/', 'job.succeeded', tintype_now(),"
                    + " tintype_now() - ? * interval '1 s' FROM generate_series(1, ?)",
                user,
                user,
                ageS,
                count));
  }

  private List<String> claimed() {
    return outbox.claim(16, Duration.ofMinutes(2)).stream().map(Owed::url).toList();
  }

  @Test
  void oneUsersManyHideNobodyElses() {
    owe("ann", 3_000, 600);
    owe("bob", 1, 1);
    owe("pam", 2, -60);
    assertThat(claimed())
        .containsExactlyInAnyOrderElementsOf(
            Stream.concat(
                    Stream.generate(() -> "https://ann.example/").limit(4),
                    Stream.of("https://bob.example/"))
                .toList());
    assertThat(claimed())
        .as("what is claimed is not due")
        .hasSize(4)
        .doesNotContain("https://bob.example/");
  }

  @Test
  void nothingIsOwed() {
    assertThat(claimed()).isEmpty();
    assertThat(outbox.waiting()).isEqualTo(new WebhookOutbox.Waiting(0, Duration.ZERO));
  }

  @Test
  void whatIsOwedIsCountedWhetherDueOrNot() {
    owe("ann", 3, 1);
    owe("bob", 2, -60);
    db.clockAhead(Duration.ofHours(2));
    WebhookOutbox.Waiting waiting = outbox.waiting();
    assertThat(waiting.rows()).isEqualTo(5);
    assertThat(waiting.oldest()).isBetween(Duration.ofHours(2), Duration.ofHours(3));
  }
}
