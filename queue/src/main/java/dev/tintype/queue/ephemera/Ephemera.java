package dev.tintype.queue.ephemera;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Shared memory that may forget. Thread-safe; every method has a deadline and raises {@link
 * dev.tintype.queue.QueueException.Unavailable} with code {@code ephemera.unavailable} where the
 * server cannot answer in time (whether a write was done is then unknown), or {@link
 * dev.tintype.queue.QueueException.Invalid} with {@code ephemera.key}, {@code ephemera.value},
 * {@code ephemera.ttl} or {@code ephemera.cost} for what no implementation takes.
 *
 * <p>A key or topic is 1 to {@value #KEY_CHARS_MAX} visible ASCII characters, such as {@code
 * worker/gpu-7}. The key up to and including its last {@code /} is its folder, here {@code
 * worker/}. Values, counters and rates are spaces of their own: the same key in two of them does
 * not clash.
 */
public interface Ephemera extends AutoCloseable {
  int KEY_CHARS_MAX = 200;

  /** True where no call waits for anybody: then an event loop may make them itself. */
  default boolean isLocal() {
    return false;
  }

  /** Largest value: the latent of an SDXL checkpoint in fp32 is 256 KiB, a text embedding 1 MiB. */
  int VALUE_BYTES_MAX = 16 * 1024 * 1024;

  /** Most keys in one answer of {@link #list}. */
  int LIST_MAX = 10_000;

  /** Largest published message. */
  int MESSAGE_BYTES_MAX = 64 * 1024;

  /**
   * One look at a start whether the server lets us in; nothing where there is none.
   *
   * @param most how long it may take
   * @throws dev.tintype.queue.QueueException.Refused where it answers and does not
   * @throws dev.tintype.queue.QueueException.Unavailable where it does not answer
   */
  default void login(Duration most) {}

  Duration TTL_MAX = Duration.ofDays(7);

  /** The value, or empty where it was never put, was removed, ran out, or was pushed out. */
  Optional<byte[]> get(String key);

  /**
   * Puts or replaces.
   *
   * @param timeToLive at least 1 ms, at most {@link #TTL_MAX}
   */
  void put(String key, byte[] value, Duration timeToLive);

  /** Puts where no value is; false, with nothing changed, where one is. Atomic. */
  boolean putIfAbsent(String key, byte[] value, Duration timeToLive);

  /** False where no value was. */
  boolean remove(String key);

  /**
   * The values directly in a folder, sorted by key, at most {@link #LIST_MAX}. Not a snapshot: what
   * is put meanwhile may or may not be in it.
   *
   * @param folder ends with {@code /}
   */
  Map<String, byte[]> list(String folder);

  /**
   * Adds to a counter, which begins at 0, and returns its new value. Atomic.
   *
   * @param timeToLive of a counter that begins now; later additions do not prolong it
   */
  long add(String key, long amount, Duration timeToLive);

  /**
   * Takes {@code cost} from a rate limit, or nothing if that is not allowed now. Atomic over all
   * processes. The server's clock counts, so that processes need not agree about the time.
   *
   * @param cost at least 1. A cost above the burst is allowed when nothing is owed, and is then
   *     owed in full: the rate holds over time, and nothing is refused for ever
   */
  RateDecision take(String key, long cost, Rate rate);

  /** Sends to all who are subscribed now, in all processes; to nobody if nobody is. */
  void publish(String topic, byte[] message);

  /**
   * Hears what is published from now on, in the order of publication per publisher. What is
   * published while the server is away is lost.
   */
  Subscription subscribe(String topic);

  /** Ends all subscriptions. Calls after it raise {@code ephemera.unavailable}. */
  @Override
  void close();
}
