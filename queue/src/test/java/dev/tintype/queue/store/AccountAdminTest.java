package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.AccountAdmin.Change;
import dev.tintype.queue.store.AccountAdmin.Key;
import dev.tintype.queue.store.AccountAdmin.LeftOut;
import dev.tintype.queue.store.AccountAdmin.User;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AccountAdminTest {
  private static final Tier NIGHT =
      new Tier("night", 2, Duration.ofHours(12), 3, 500, Duration.ofDays(3), TierClass.RELAXED);

  private TestDatabase db;

  @BeforeEach
  void open() {
    db = TestDatabase.create();
  }

  @AfterEach
  void close() {
    db.close();
  }

  private static Change tier(String name) {
    return new Change(Optional.of(name), Optional.empty(), Optional.empty());
  }

  private static Change admin(boolean on) {
    return new Change(Optional.empty(), Optional.of(on), Optional.empty());
  }

  private static Change disabled(boolean on) {
    return new Change(Optional.empty(), Optional.empty(), Optional.of(on));
  }

  private static void refused(String code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            QueueException.Invalid.class, e -> assertThat(e.code()).isEqualTo(code));
  }

  @Test
  void usersAreListedPageByPage() {
    List<User> first = db.administration.users(Optional.empty(), 2);
    assertThat(first).extracting(User::id).containsExactly("ann", "bob");
    assertThat(db.administration.users(Optional.of("bob"), 2))
        .extracting(User::id)
        .containsExactly("pam");
    assertThat(db.administration.user("ann").orElseThrow().tier()).isEqualTo("standard");
    assertThat(db.administration.user("nobody")).isEmpty();
  }

  @Test
  void aUserMovesToAnotherTierAndIsShutOut() {
    db.accounts.firstKey();
    String key = db.accounts.createKey("ann", "laptop");
    assertThat(db.administration.change("ann", tier("fast")).orElseThrow().tier())
        .isEqualTo("fast");
    assertThat(db.accounts.authenticate(key).orElseThrow().tier().name()).isEqualTo("fast");
    refused("account.tier", () -> db.administration.change("ann", tier("golden")));
    db.administration.change("ann", disabled(true));
    assertThat(db.accounts.authenticate(key)).isEmpty();
    db.administration.change("ann", disabled(false));
    assertThat(db.accounts.authenticate(key)).isPresent();
    assertThat(db.administration.change("nobody", tier("fast"))).isEmpty();
  }

  @Test
  void keysAreListedWithoutThemselves() {
    String key = db.accounts.createKey("ann", "laptop");
    db.accounts.createKey("ann", "telephone");
    String id = db.accounts.authenticate(key).orElseThrow().keyId();
    db.accounts.revokeKey("ann", id);
    List<Key> keys = db.administration.keys("ann");
    assertThat(keys).extracting(Key::label).containsExactlyInAnyOrder("laptop", "telephone");
    assertThat(keys)
        .filteredOn(one -> one.revokedAt().isPresent())
        .extracting(Key::id)
        .containsExactly(id);
    assertThat(keys.toString()).doesNotContain(key);
    assertThat(db.administration.keys("bob")).isEmpty();
  }

  @Test
  void anAdminIsAlwaysLeft() {
    db.accounts.firstKey();
    refused("account.last_admin", () -> db.administration.change("admin", admin(false)));
    refused("account.last_admin", () -> db.administration.change("admin", disabled(true)));
    db.administration.change("ann", admin(true));
    assertThat(db.administration.change("admin", disabled(true))).isPresent();
    refused("account.last_admin", () -> db.administration.change("ann", disabled(true)));
  }

  /** Each sees the other as the one who is left. */
  @Test
  void twoAdminsCannotDismissOneAnother() throws Exception {
    db.accounts.firstKey();
    for (int round = 0; round < 20; round++) {
      db.administration.change("admin", admin(true));
      db.administration.change("ann", admin(true));
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        Future<Boolean> one = threads.submit(() -> dismissed("admin"));
        Future<Boolean> two = threads.submit(() -> dismissed("ann"));
        assertThat(one.get() && two.get()).isFalse();
      }
    }
  }

  private boolean dismissed(String user) {
    try {
      db.administration.change(user, admin(false));
      return true;
    } catch (QueueException.Invalid e) {
      return false;
    }
  }

  @Test
  void aTierIsMadeAndChangedAndStandsByItsBound() {
    db.administration.putTier(NIGHT);
    assertThat(db.accounts.tiers())
        .extracting(Tier::name)
        .containsExactly("night", "free", "standard", "fast", "pro", "enterprise");
    assertThat(db.accounts.tiers().getFirst()).isEqualTo(NIGHT);
    db.administration.putTier(
        new Tier("night", 9, Duration.ofSeconds(90), 1, 1, Duration.ofDays(1), TierClass.NORMAL));
    assertThat(db.accounts.tiers().get(4).weight()).isEqualTo(9);
    db.administration.change("ann", tier("night"));
    assertThat(db.accounts.account("ann").orElseThrow().tier().queuedMax()).isEqualTo(1);
    refused(
        "account.tier_settings",
        () ->
            new Tier("Night!", 1, Duration.ofHours(1), 1, 1, Duration.ofDays(1), TierClass.NORMAL));
  }

  @Test
  void declaredTiersAreAllThereAre() {
    List<Tier> before = db.accounts.tiers();
    assertThat(db.administration.declareTiers(before)).isEmpty();
    assertThat(db.accounts.tiers()).isEqualTo(before);
    db.administration.change("ann", tier("enterprise"));
    List<Tier> fewer =
        List.of(named(before, "standard"), named(before, "pro"), named(before, "free"), NIGHT);
    assertThat(db.administration.declareTiers(fewer))
        .containsExactly(new LeftOut("enterprise", 1, true), new LeftOut("fast", 0, true));
    assertThat(db.accounts.tiers()).containsExactlyInAnyOrderElementsOf(fewer);
    assertThat(db.administration.user("ann").orElseThrow().tier()).isEqualTo("standard");
    assertThat(db.administration.declareTiers(fewer)).isEmpty();
  }

  @Test
  void aTierThatIsLeftOutStaysUntilItsJobsAreGone() {
    db.administration.change("ann", tier("fast"));
    SubmitRequest request = SubmitRequest.plain("ann", "fast", TestDatabase.spec(1), "f", 100);
    JobId job = ((SubmitResult.Accepted) db.store.submit(request)).job().id();
    List<Tier> only = List.of(NIGHT);
    assertThat(db.administration.declareTiers(only)).contains(new LeftOut("fast", 1, false));
    assertThat(db.administration.user("ann").orElseThrow().tier()).isEqualTo("night");
    assertThat(db.accounts.tiers()).extracting(Tier::name).containsExactly("night", "fast");
    db.store.cancel("ann", job);
    assertThat(db.administration.declareTiers(only)).containsExactly(new LeftOut("fast", 0, false));
    db.clockAhead(Duration.ofDays(100));
    assertThat(db.store.sweep("fast", 10)).isEqualTo(1);
    assertThat(db.administration.declareTiers(only)).containsExactly(new LeftOut("fast", 0, true));
    assertThat(db.accounts.tiers()).containsExactly(NIGHT);
  }

  @Test
  void withoutTheTierProTheFirstUserIsInTheFastest() {
    db.administration.declareTiers(
        List.of(NIGHT, named(db.accounts.tiers(), "free"), named(db.accounts.tiers(), "fast")));
    db.accounts.firstKey();
    assertThat(db.administration.user("admin").orElseThrow().tier()).isEqualTo("fast");
  }

  @Test
  void noTierAndTheSameTwiceAreRefused() {
    refused("account.tiers", () -> db.administration.declareTiers(List.of()));
    refused("account.tiers", () -> db.administration.declareTiers(List.of(NIGHT, NIGHT)));
  }

  private static Tier named(List<Tier> tiers, String name) {
    return tiers.stream().filter(tier -> tier.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void aTiersPoolIsKeptAndTakenBack() {
    Tier night = NIGHT.inPool("gold", true);
    db.administration.putTier(night);
    assertThat(db.accounts.tiers()).contains(night);
    db.administration.putTier(NIGHT.inPool(Tier.SHARED, true));
    assertThat(db.accounts.tiers()).contains(NIGHT);
    assertThatThrownBy(() -> NIGHT.inPool("Gold!", false)).isInstanceOf(QueueException.class);
  }
}
