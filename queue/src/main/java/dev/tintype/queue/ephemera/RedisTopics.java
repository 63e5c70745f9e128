package dev.tintype.queue.ephemera;

import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * One subscription of the server per topic, however many hear it here. The client subscribes again
 * after Redis was away.
 */
final class RedisTopics implements AutoCloseable {
  private final RedisLink link;
  private final Map<String, List<MessageBuffer>> hearers = new ConcurrentHashMap<>();
  private StatefulRedisPubSubConnection<String, byte[]> connection;
  private int subscriptions;

  RedisTopics(RedisLink link) {
    this.link = link;
  }

  synchronized Subscription subscribe(String topic) {
    if (subscriptions == InProcessEphemera.SUBSCRIPTIONS_MAX) {
      throw Checks.unavailable(
          "There are " + subscriptions + " subscriptions already; try again later.", null);
    }
    if (connection == null) {
      connection = link.topics();
      connection.addListener(
          new RedisPubSubAdapter<>() {
            @Override
            public void message(String from, byte[] message) {
              hearers.getOrDefault(from, List.of()).forEach(hearer -> hearer.add(message.clone()));
            }
          });
    }
    if (!hearers.containsKey(topic)) {
      connection.sync().subscribe(topic);
    }
    MessageBuffer[] self = new MessageBuffer[1];
    self[0] = new MessageBuffer(() -> unsubscribe(topic, self[0]));
    hearers.computeIfAbsent(topic, name -> new CopyOnWriteArrayList<>()).add(self[0]);
    subscriptions++;
    return self[0];
  }

  private synchronized void unsubscribe(String topic, MessageBuffer hearer) {
    List<MessageBuffer> all = hearers.get(topic);
    if (all == null || !all.remove(hearer)) {
      return;
    }
    subscriptions--;
    if (all.isEmpty()) {
      hearers.remove(topic);
      // Not waited for: what still comes finds nobody.
      connection.async().unsubscribe(topic);
    }
  }

  @Override
  public void close() {
    hearers.values().stream().flatMap(List::stream).toList().forEach(MessageBuffer::close);
  }
}
