package dev.tintype.gateway.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.gateway.problem.GatewayException;
import org.junit.jupiter.api.Test;

class UploadPermitsTest {
  private final UploadPermits permits = new UploadPermits();

  private void refused(String userId, String code) {
    assertThatThrownBy(() -> permits.take(userId))
        .isInstanceOfSatisfying(GatewayException.class, e -> assertThat(e.code()).isEqualTo(code));
  }

  @Test
  void oneUserHasFewAndARefusalTakesNoPlace() {
    UploadPermits.Permit first = permits.take("ann");
    permits.take("ann");
    for (int i = 0; i < UploadPermits.AT_ONCE_MAX; i++) {
      refused("ann", "image.user_busy");
    }
    permits.take("ben");
    first.giveBack();
    permits.take("ann");
    refused("ann", "image.user_busy");
  }

  @Test
  void allTogetherHaveEightAndOneComesBackOnce() {
    UploadPermits.Permit first = permits.take("user-0");
    for (int i = 1; i < UploadPermits.AT_ONCE_MAX; i++) {
      permits.take("user-" + i);
    }
    refused("one more", "image.busy");
    first.giveBack();
    first.giveBack();
    permits.take("one more");
    refused("two more", "image.busy");
  }
}
