package dev.tintype.edge.variant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

class KeepingTest {
  private static final VariantKey KEY =
      VariantKey.of(
          "ab".repeat(32), Operations.none().resolve(ImageFormat.PNG, 8192, format -> 80), "test");
  private static final byte[] BYTES = {1};

  private final List<String> happened = new ArrayList<>();
  private final Queue<Runnable> waiting = new ArrayDeque<>();

  private void store(VariantKey key, byte[] bytes) {
    assertThat(key).isEqualTo(KEY);
    assertThat(bytes).isEqualTo(BYTES);
    happened.add("stored");
  }

  @Test
  void anotherThreadStoresIt() {
    new Keeping(this::store, waiting::add).keep(KEY, BYTES, () -> happened.add("then"));
    assertThat(happened).isEmpty();
    waiting.remove().run();
    assertThat(happened).containsExactly("stored", "then");
  }

  @Test
  void whereTooManyWaitTheCallerStoresIt() {
    new Keeping(
            this::store,
            task -> {
              throw new RejectedExecutionException("full");
            })
        .keep(KEY, BYTES, () -> happened.add("then"));
    assertThat(happened).containsExactly("stored", "then");
  }

  @Test
  void aVariantThatCannotBeKeptIsNoLongerInTheMakingEither() {
    new Keeping(
            (key, bytes) -> {
              throw new IllegalStateException("thrown by the test");
            },
            Runnable::run)
        .keep(KEY, BYTES, () -> happened.add("then"));
    assertThat(happened).containsExactly("then");
  }
}
