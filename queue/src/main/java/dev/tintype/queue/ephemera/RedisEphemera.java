package dev.tintype.queue.ephemera;

import dev.tintype.queue.QueueException;
import io.lettuce.core.KeyValue;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Ephemera of a fleet, in Redis. It may be constructed, and goes on, while Redis is away: calls
 * then fail at once, and work again within a second of its return. A call that broke off is not
 * repeated, so that a rate is not taken twice.
 *
 * <p>Keys, after the configured prefix: {@code v:} values, {@code d:} the sorted set of a folder's
 * keys (so that a listing does not walk through all keys of the server), {@code c:} counters,
 * {@code r:} rates; topics are {@code t:}.
 */
public final class RedisEphemera implements Ephemera {
  /** Values asked for at once in a listing. */
  private static final int PAGE = 256;

  private final String prefix;
  private final RedisLink link;
  private final RedisTopics topics;

  public RedisEphemera(RedisConfig config) {
    this.prefix = config.prefix();
    this.link = new RedisLink(config);
    this.topics = new RedisTopics(link);
  }

  @Override
  public Optional<byte[]> get(String key) {
    Checks.key(key);
    return call(redis -> Optional.ofNullable(redis.get(prefix + "v:" + key)));
  }

  @Override
  public void put(String key, byte[] value, Duration timeToLive) {
    put(key, value, timeToLive, false);
  }

  @Override
  public boolean putIfAbsent(String key, byte[] value, Duration timeToLive) {
    return put(key, value, timeToLive, true);
  }

  private boolean put(String key, byte[] value, Duration timeToLive, boolean ifAbsent) {
    Checks.key(key);
    Checks.value(value);
    Checks.timeToLive(timeToLive);
    return call(
        redis ->
            redis.<Long>eval(
                    RedisScripts.PUT,
                    ScriptOutputType.INTEGER,
                    valueAndIndex(key),
                    value,
                    text(timeToLive.toMillis()),
                    text(ifAbsent ? 1 : 0),
                    text(key),
                    text(LIST_MAX))
                == 1);
  }

  @Override
  public boolean remove(String key) {
    Checks.key(key);
    return call(
        redis ->
            redis.<Long>eval(
                    RedisScripts.REMOVE, ScriptOutputType.INTEGER, valueAndIndex(key), text(key))
                == 1);
  }

  /** A key outside of folders is in no index. */
  private String[] valueAndIndex(String key) {
    String folder = Checks.folderOf(key);
    return folder.isEmpty()
        ? new String[] {prefix + "v:" + key}
        : new String[] {prefix + "v:" + key, prefix + "d:" + folder};
  }

  @Override
  public SortedMap<String, byte[]> list(String folder) {
    Checks.folder(folder);
    return call(
        redis -> {
          List<String> names =
              redis.zrange(prefix + "d:" + folder, 0, LIST_MAX - 1L).stream()
                  .map(name -> new String(name, StandardCharsets.US_ASCII))
                  .toList();
          SortedMap<String, byte[]> found = new TreeMap<>();
          for (int from = 0; from < names.size(); from += PAGE) {
            List<String> page = names.subList(from, Math.min(names.size(), from + PAGE));
            String[] keys = page.stream().map(name -> prefix + "v:" + name).toArray(String[]::new);
            List<KeyValue<String, byte[]>> values = new ArrayList<>(redis.mget(keys));
            for (int i = 0; i < page.size(); i++) {
              // What ran out is still in the index until the next put.
              if (values.get(i).hasValue()) {
                found.put(page.get(i), values.get(i).getValue());
              }
            }
          }
          return found;
        });
  }

  @Override
  public long add(String key, long amount, Duration timeToLive) {
    Checks.key(key);
    Checks.timeToLive(timeToLive);
    return call(
        redis ->
            redis.<Long>eval(
                RedisScripts.ADD,
                ScriptOutputType.INTEGER,
                new String[] {prefix + "c:" + key},
                text(amount),
                text(timeToLive.toMillis())));
  }

  @Override
  public RateDecision take(String key, long cost, Rate rate) {
    Checks.key(key);
    Checks.cost(cost);
    double interval = rate.intervalMicros();
    double tolerance = rate.burst() * interval;
    List<Object> answer =
        call(
            redis ->
                redis.eval(
                    RedisScripts.TAKE,
                    ScriptOutputType.MULTI,
                    new String[] {prefix + "r:" + key},
                    text(interval),
                    text(tolerance),
                    text(cost),
                    text(rate.burst())));
    return Gcra.decision(
        (Long) answer.get(0) == 1,
        number(answer.get(1)),
        number(answer.get(2)),
        interval,
        tolerance);
  }

  @Override
  public void publish(String topic, byte[] message) {
    Checks.key(topic);
    Checks.message(message);
    call(redis -> redis.publish(prefix + "t:" + topic, message));
  }

  @Override
  public Subscription subscribe(String topic) {
    Checks.key(topic);
    try {
      return topics.subscribe(prefix + "t:" + topic);
    } catch (RedisException e) {
      throw link.away(e);
    }
  }

  /** Where it is, and whether it answers; for people. */
  public Optional<String> trouble() {
    try {
      call(RedisCommands::ping);
      return Optional.empty();
    } catch (QueueException.Unavailable e) {
      return Optional.of(e.getMessage());
    }
  }

  /** By a connection of its own: the client's first takes a busy machine longer than a call may. */
  @Override
  public void login(Duration most) {
    link.login(most);
  }

  private <T> T call(Function<RedisCommands<String, byte[]>, T> command) {
    try {
      return command.apply(link.commands());
    } catch (RedisCommandExecutionException e) {
      throw Checks.unavailable("Redis refused: " + e.getMessage(), e);
    } catch (RedisException e) {
      throw link.away(e);
    }
  }

  private static byte[] text(Object value) {
    return value.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static double number(Object bytes) {
    return Double.parseDouble(new String((byte[]) bytes, StandardCharsets.US_ASCII));
  }

  @Override
  public void close() {
    topics.close();
    link.close();
  }
}
