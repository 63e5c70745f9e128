package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresConfigTest {
  private static PostgresConfig config(String rest) {
    return PostgresConfig.of("jdbc:postgresql://" + rest, "user", "pw");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "db:99999/d?password=hush",
        "db:x/d?password=hush",
        "db:5432/d%zz?password=hush",
        "db:5432?password=hush",
        "me:hush@db:5432/d",
        "db/d?password=hush&sslmode=bogus",
        "db/d?password=hush&sslmode",
        "db/d?targetServerType=hush",
        "db/d?gssEncMode=hush"
      })
  void aUrlThatTheDriverDoesNotTakeIsRefusedAndNotShown(String rest) {
    assertThatThrownBy(() -> config(rest))
        .hasMessageNotContaining("hush")
        .isInstanceOfSatisfying(
            QueueException.Invalid.class, e -> assertThat(e.code()).isEqualTo("store.config"));
  }

  @ParameterizedTest
  @CsvSource({
    "db/d, db/d",
    "/d, /d",
    "db:5432/d?sslmode=verify-full&sslrootcert=/etc/ca.pem&password=a@b, db:5432/d",
    "'a:1,b:2/d?targetServerType=primary', 'a:1,b:2/d'",
    "[::1]:5432/d?gssEncMode=disable, [::1]:5432/d"
  })
  void theOthersAreShownWithoutTheirOptions(String rest, String address) {
    assertThat(config(rest).address()).isEqualTo(address);
  }
}
