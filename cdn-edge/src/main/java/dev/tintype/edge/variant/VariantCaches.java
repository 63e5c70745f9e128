package dev.tintype.edge.variant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.Originals;
import dev.tintype.edge.error.EdgeException;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The levels in which variants are kept: memory, the disk of this machine, the store that edges
 * share. A variant outlives its original by {@code edge.cache.verify_s} at most: so often its
 * original is looked for again, and where it is gone, so are its variants. That is the net under
 * purges, which an edge that was away may have missed.
 *
 * <p>Nothing of a purged original stays: who keeps something looks at the purges before and after,
 * and a purge notes itself before it clears, so that one of both sees the other.
 */
final class VariantCaches {
  private static final Logger LOG = LoggerFactory.getLogger(VariantCaches.class);
  private static final int VERIFIED_MAX = 100_000;

  private final EdgeConfig.Cache config;
  private final Originals originals;
  private final Purged purged;
  private final SharedTier shared;
  private final StoreGuard originalStore;
  private final DiskCache disk;
  private final Cache<String, Entry> memory;
  private final Cache<String, Boolean> verified;

  /** What memory holds, and of which original. */
  private record Entry(String sha256, Served served) {}

  VariantCaches(
      EdgeConfig.Cache config,
      Originals originals,
      Purged purged,
      SharedTier shared,
      StoreGuard originalStore,
      Ticker ticker) {
    this.config = config;
    this.originals = originals;
    this.purged = purged;
    this.shared = shared;
    this.originalStore = originalStore;
    // What is kept may be kept on the word of a look that is as old itself: together one verify_s.
    Duration verify = Duration.ofSeconds(config.verifyS()).dividedBy(2);
    memory =
        Caffeine.newBuilder()
            .maximumWeight(config.memoryBytesMax())
            .weigher((String id, Entry entry) -> Math.toIntExact(entry.served.body().size()))
            .expireAfterWrite(verify)
            .ticker(ticker)
            .build();
    verified =
        Caffeine.newBuilder()
            .maximumSize(VERIFIED_MAX)
            .expireAfterWrite(verify)
            .ticker(ticker)
            .build();
    disk = new DiskCache(config.folder(), config.diskBytesMax());
  }

  /** Takes up the folder; may run beside everything else. */
  void scan() {
    disk.scan();
  }

  /** What memory holds; never blocks. */
  Optional<Served> inMemory(String id) {
    Entry entry = memory.getIfPresent(id);
    return entry == null ? Optional.empty() : Optional.of(entry.served);
  }

  /**
   * Looks into memory and on the disk.
   *
   * @throws EdgeException edge.original.missing where a variant is there but its original is not
   */
  Optional<Served> findHere(VariantKey key) {
    Optional<Served> hit = inMemory(key.id()).or(() -> onDisk(key));
    hit.ifPresent(found -> verify(key.sha256()));
    return hit;
  }

  /**
   * Looks into the shared store.
   *
   * @throws EdgeException edge.original.missing where a variant is there but its original is not
   */
  Optional<Served> findElsewhere(VariantKey key) {
    Optional<byte[]> found = shared.find(key);
    found.ifPresent(bytes -> verify(key.sha256()));
    found.ifPresent(bytes -> keepOnDisk(key, bytes));
    return found.map(bytes -> Served.of(keepInMemory(key, bytes), Served.Source.STORE));
  }

  /**
   * Whether this machine has a variant.
   *
   * @throws EdgeException edge.original.missing where it has, but its original is gone
   */
  boolean has(VariantKey key) {
    boolean here = inMemory(key.id()).isPresent() || disk.find(key.sha256(), key.id()).isPresent();
    if (here) {
      verify(key.sha256());
    }
    return here;
  }

  private Optional<Served> onDisk(VariantKey key) {
    Optional<Served.InFile> file = disk.find(key.sha256(), key.id());
    if (file.isEmpty() || file.get().size() > config.memoryEntryBytesMax()) {
      return file.map(body -> Served.of(body, Served.Source.DISK));
    }
    try {
      byte[] bytes = Files.readAllBytes(file.get().path());
      return Optional.of(Served.of(keepInMemory(key, bytes), Served.Source.DISK));
    } catch (NoSuchFileException e) {
      return Optional.empty(); // Evicted meanwhile.
    } catch (IOException e) {
      LOG.warn("a variant on the disk could not be read: {}", e.toString());
      return Optional.empty();
    }
  }

  /** A store of originals that cannot say in time does not take away what this edge has. */
  private void verify(String sha256) {
    if (verified.getIfPresent(sha256) != null) {
      return;
    }
    Optional<Boolean> there = originalStore.ask(() -> originals.exists(sha256));
    if (there.equals(Optional.of(false))) {
      clear(sha256);
      shared.forgetLater(sha256);
      throw EdgeException.missing(sha256);
    }
    there.ifPresent(yes -> verified.put(sha256, true));
  }

  /** An original has just been seen. */
  void seen(String sha256) {
    verified.put(sha256, true);
  }

  /** The variant as it is sent; kept in memory where it is small enough. */
  Served.Body keepInMemory(VariantKey key, byte[] bytes) {
    Served.Body body = new Served.InMemory(Buffer.buffer(bytes));
    if (bytes.length <= config.memoryEntryBytesMax() && !purged.contains(key.sha256())) {
      memory.put(key.id(), new Entry(key.sha256(), Served.of(body, Served.Source.MEMORY)));
      if (purged.contains(key.sha256())) {
        memory.invalidate(key.id());
      }
    }
    return body;
  }

  private void keepOnDisk(VariantKey key, byte[] bytes) {
    if (!purged.contains(key.sha256())) {
      disk.put(key.sha256(), key.id(), bytes);
      if (purged.contains(key.sha256())) {
        disk.forget(key.sha256());
      }
    }
  }

  /** Keeps what was encoded, on the disk and for the other edges. */
  void store(VariantKey key, byte[] bytes) {
    keepOnDisk(key, bytes);
    shared.put(key, bytes, purged);
  }

  /**
   * Drops everything that was made of an original and does not keep it again; blocks.
   *
   * @throws EdgeException edge.store when the shared store did not do it
   */
  void purge(String sha256) {
    purged.add(sha256);
    clear(sha256);
    shared.forget(sha256);
  }

  private void clear(String sha256) {
    verified.invalidate(sha256);
    dropFromMemory(sha256);
    disk.forget(sha256);
  }

  /** Never blocks. */
  void dropFromMemory(String sha256) {
    memory.asMap().values().removeIf(entry -> entry.sha256.equals(sha256));
  }
}
