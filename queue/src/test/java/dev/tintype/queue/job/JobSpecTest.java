package dev.tintype.queue.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class JobSpecTest {
  private static JobSpec.Builder base() {
    return JobSpec.builder("tintype-mini", "a red sun");
  }

  @Test
  void jsonKeepsEveryField() {
    JobSpec full =
        JobSpec.builder("stabilityai/sdxl-1.0", "Ein \"Haus\" am See 🌅\n")
            .negativePrompt("blurry")
            .size(640, 384)
            .steps(33)
            .guidanceScale(0.1 + 0.2)
            .guidanceRescale(0.7)
            .scheduler("euler_a")
            .eta(0.5)
            .seed(Long.MAX_VALUE)
            .images(4)
            .clipSkip(2)
            .strength(0.65)
            .initImage("a".repeat(64))
            .maskImage("b".repeat(64))
            .build();
    assertThat(JobSpec.fromJson(full.toJson())).isEqualTo(full);
    assertThat(JobSpec.fromJson(base().build().toJson())).isEqualTo(base().build());
    assertThat(full.kind()).isEqualTo(JobSpec.Kind.INPAINT);
    assertThat(base().build().toJson()).startsWith("{\"v\":1,");
  }

  @Test
  void aNewerRecipeIsRefusedByName() {
    String json = base().build().toJson().replace("\"v\":1", "\"v\":2");
    assertCode("job.spec.version", () -> JobSpec.fromJson(json));
    assertCode("job.spec.json", () -> JobSpec.fromJson("{"));
  }

  @Test
  void whatNoModelCanDoIsRefusedWithTheFieldsName() {
    assertRefused("job.spec.model", b -> JobSpec.builder("../etc passwd", "x"));
    assertRefused("job.spec.prompt", b -> JobSpec.builder("m", "x".repeat(100_000)));
    assertRefused("job.spec.prompt", b -> JobSpec.builder("m", "a\0b"));
    assertRefused("job.spec.negative_prompt", b -> b.negativePrompt("é".repeat(9_000)));
    assertRefused("job.spec.width", b -> b.size(0, 512));
    assertRefused("job.spec.height", b -> b.size(512, 511));
    assertRefused("job.spec.steps", b -> b.steps(0));
    assertRefused("job.spec.guidance_scale", b -> b.guidanceScale(Double.NaN));
    assertRefused("job.spec.guidance_rescale", b -> b.guidanceRescale(1.1));
    assertRefused("job.spec.scheduler", b -> b.scheduler(""));
    assertRefused("job.spec.eta", b -> b.eta(-0.1));
    assertRefused("job.spec.seed", b -> b.seed(-1));
    assertRefused("job.spec.images", b -> b.images(65));
    assertRefused("job.spec.clip_skip", b -> b.clipSkip(13));
    assertRefused("job.spec.strength", b -> b.strength(Double.POSITIVE_INFINITY));
    assertRefused("job.spec.init_image", b -> b.initImage("../../secret"));
    assertRefused("job.spec.mask_image", b -> b.maskImage("b".repeat(64)));
  }

  @Test
  void idsSortByTimeAndAreOfVersion7() {
    Random random = new Random(7);
    JobId early =
        JobId.next(Clock.fixed(Instant.ofEpochMilli(1_700_000_000_000L), ZoneOffset.UTC), random);
    JobId late =
        JobId.next(Clock.fixed(Instant.ofEpochMilli(1_700_000_000_001L), ZoneOffset.UTC), random);
    assertThat(early).isLessThan(late);
    assertThat(early.uuid().version()).isEqualTo(7);
    assertThat(early.uuid().variant()).isEqualTo(2);
    assertThat(JobId.of(early.uuid())).isEqualTo(early);
    assertThat(early.uuid().getMostSignificantBits() >>> 16).isEqualTo(1_700_000_000_000L);
    for (String bad :
        new String[] {
          "", "x", null, early.value().toUpperCase(), "00000000-0000-4000-8000-000000000000"
        }) {
      assertCode("job.id", () -> new JobId(bad));
    }
  }

  private static void assertRefused(String code, UnaryOperator<JobSpec.Builder> change) {
    assertCode(code, () -> change.apply(base()).build());
  }

  private static void assertCode(String code, Runnable work) {
    assertThatThrownBy(work::run)
        .isInstanceOfSatisfying(
            QueueException.Invalid.class, e -> assertThat(e.code()).isEqualTo(code));
  }
}
