package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import org.junit.jupiter.api.Test;

class SchemaCheckTest {
  @Test
  void aDatabaseThatLacksPartOfTheSchemaIsNotReady() {
    try (TestDatabase db = TestDatabase.create()) {
      assertThatCode(db.store::check).doesNotThrowAnyException();
      // As another database, restored from before the last upgrade, behind the same address.
      db.database.call(
          connection ->
              Sql.update(
                  connection,
                  "DELETE FROM schema_versions WHERE version = ?",
                  Migrations.FILES.size()));
      assertThatThrownBy(db.store::check)
          .isInstanceOfSatisfying(
              QueueException.Broken.class, e -> assertThat(e.code()).isEqualTo("store.schema"));
    }
  }
}
