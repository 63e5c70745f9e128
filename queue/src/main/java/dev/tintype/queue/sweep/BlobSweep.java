package dev.tintype.queue.sweep;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.store.BlobLedger;
import dev.tintype.queue.store.BlobLedger.Released;
import dev.tintype.queue.store.BlobLedger.Turn;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Deletes blobs that no row names, in two ways. Blobs whose rows were deleted are known, and are
 * looked at within minutes. Blobs that never got a row, because their process died in between, are
 * found by a walk through the whole store, page by page; where it stands is kept in the database,
 * so that it survives restarts and of many processes one walks at a time.
 *
 * <p>The race with a writer: a blob is put before its row is written. What was put within the grace
 * time therefore stays; a put that comes between the question to the database and the deletion
 * renews the blob's time, and {@link BlobStore#delete(String, Instant)} leaves it.
 */
public final class BlobSweep {
  /** A turn is a page of listing, one question and some hundred requests. */
  private static final Duration TURN_HOLD = Duration.ofMinutes(10);

  private static final Duration EXPIRE_UPLOADS_EVERY = Duration.ofHours(1);

  private final BlobStore blobs;
  private final BlobLedger ledger;
  private final SweepConfig config;
  private final Clock clock;
  private final Consumer<String> derived;
  private Instant expireNotBefore = Instant.MIN;
  private boolean owned;

  /** A sweep of originals that nothing was derived from. */
  public BlobSweep(BlobStore blobs, BlobLedger ledger, SweepConfig config, Clock clock) {
    this(blobs, ledger, config, clock, sha256 -> {});
  }

  /**
   * @param derived deletes what was made of a blob that nothing names; asked before and after the
   *     blob is deleted, and again in a later turn where it throws, which ends this one
   */
  public BlobSweep(
      BlobStore blobs,
      BlobLedger ledger,
      SweepConfig config,
      Clock clock,
      Consumer<String> derived) {
    this.blobs = blobs;
    this.ledger = ledger;
    this.config = config;
    this.clock = clock;
    this.derived = derived;
  }

  /**
   * A page of the walk.
   *
   * @param position the last name that was looked at
   * @param end nothing is behind it
   */
  public record Page(String position, boolean end, Tally tally) {}

  /**
   * Makes sure that the blobs are this database's: they carry its mark, or none, and then there are
   * none or the database names some of the first.
   *
   * @throws QueueException.Refused sweep.owner
   */
  public void checkOwner() {
    String installation = ledger.installation();
    Optional<String> owner = blobs.owner();
    if (owner.isPresent() && !owner.get().equals(installation)) {
      throw refusal(
          "The stored pictures are marked as those of another database ("
              + owner.get()
              + "; this one is "
              + installation
              + ").");
    }
    if (owner.isEmpty()) {
      List<String> first =
          blobs.list("", BlobStore.LIST_MAX).stream().map(BlobStore.Entry::sha256).toList();
      if (!first.isEmpty() && ledger.named(first).isEmpty()) {
        throw refusal("The database names none of the pictures that are stored here.");
      }
    }
  }

  /** Marks the blobs as this database's, whosever they were. */
  public void own() {
    blobs.own(ledger.installation());
    owned = true;
  }

  private static QueueException.Refused refusal(String why) {
    return new QueueException.Refused(
        "sweep.owner",
        why
            + " Nothing is deleted. Correct the settings; where they are right, run: tintype sweep"
            + " --adopt",
        null);
  }

  /** One bounded turn of everything; {@link Tally#NONE} where nothing was due. */
  public Tally turn() {
    if (!owned) {
      checkOwner();
      own();
    }
    Instant now = clock.instant();
    if (!now.isBefore(expireNotBefore)) {
      boolean more = ledger.expireUploads(BlobLedger.NAMES_MAX) == BlobLedger.NAMES_MAX;
      expireNotBefore = more ? now : now.plus(EXPIRE_UPLOADS_EVERY);
    }
    Tally tally = released();
    Optional<Turn> turn = ledger.takeTurn(TURN_HOLD);
    if (turn.isPresent()) {
      Page page = walk(turn.get().position(), false);
      ledger.endTurn(
          turn.get(),
          page.end() ? "" : page.position(),
          page.end() ? config.walkEvery() : config.turnEvery());
      tally = tally.plus(page.tally());
    }
    return tally;
  }

  /** Looks at blobs that lost a row. What is too young comes again in an hour. */
  public Tally released() {
    List<Released> taken = ledger.takeReleased(BlobLedger.NAMES_MAX);
    if (taken.isEmpty()) {
      return Tally.NONE;
    }
    Set<String> named = ledger.named(taken.stream().map(Released::sha256).toList());
    Instant cut = clock.instant().minus(config.grace());
    List<Released> settled = new ArrayList<>();
    Tally tally = Tally.NONE;
    for (Released one : taken) {
      if (named.contains(one.sha256())) {
        settled.add(one);
        continue;
      }
      OptionalLong bytes = blobs.size(one.sha256());
      if (bytes.isEmpty()) {
        // Deleted in a turn that may have failed right after that.
        derived.accept(one.sha256());
        settled.add(one);
      } else if (delete(one.sha256(), cut)) {
        tally = tally.plus(Tally.orphan(bytes.getAsLong()));
        settled.add(one);
      } else {
        tally = tally.plus(Tally.young(bytes.getAsLong()));
      }
    }
    ledger.settle(settled);
    return tally;
  }

  /**
   * Looks at the blobs behind that name; the page ends early where enough were moved to the cold
   * class.
   *
   * @param dry counts, and changes nothing
   */
  public Page walk(String after, boolean dry) {
    List<BlobStore.Entry> entries = blobs.list(after, config.pageBlobs());
    if (entries.isEmpty()) {
      return new Page(after, true, Tally.NONE);
    }
    Set<String> named = ledger.named(entries.stream().map(BlobStore.Entry::sha256).toList());
    Instant now = clock.instant();
    Tally tally = Tally.NONE;
    String position = after;
    for (BlobStore.Entry entry : entries) {
      if (tally.cooled() == config.coolMax()) {
        break;
      }
      tally =
          tally
              .plus(Tally.seen(entry.bytes()))
              .plus(named.contains(entry.sha256()) ? keep(entry, now, dry) : drop(entry, now, dry));
      position = entry.sha256();
    }
    return new Page(position, false, tally);
  }

  private Tally keep(BlobStore.Entry entry, Instant now, boolean dry) {
    boolean old =
        config.coldAfter().filter(age -> entry.putAt().isBefore(now.minus(age))).isPresent();
    return old && !dry && blobs.cool(entry) ? Tally.oneCooled() : Tally.NONE;
  }

  private Tally drop(BlobStore.Entry entry, Instant now, boolean dry) {
    Instant cut = now.minus(config.grace());
    boolean old = !entry.putAt().isAfter(cut);
    if (old && (dry || delete(entry.sha256(), cut))) {
      return Tally.orphan(entry.bytes());
    }
    return old ? Tally.NONE : Tally.young(entry.bytes());
  }

  /**
   * What was made of a blob goes before it: where that fails the blob is still there, so that all
   * of it is tried again. And once more after it, for what was made in between.
   */
  private boolean delete(String sha256, Instant cut) {
    derived.accept(sha256);
    boolean gone = blobs.delete(sha256, cut);
    if (gone) {
      derived.accept(sha256);
    }
    return gone;
  }
}
