package dev.tintype.queue.store;

import dev.tintype.queue.job.JobEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The latest events of one followed job, shared by all its followers. Holds the events with a seq
 * in (loaded - size, loaded].
 */
final class JobChannel {
  /** A follower that is further behind reads the log. */
  static final int EVENTS_MAX = 256;

  private final Set<ChannelFeed> feeds = new HashSet<>();
  private final Deque<JobEvent> tail = new ArrayDeque<>();
  private long loaded;

  JobChannel(long loaded) {
    this.loaded = loaded;
  }

  synchronized void addFeed(ChannelFeed feed) {
    feeds.add(feed);
  }

  /** True where other followers are left. */
  synchronized boolean remove(ChannelFeed feed) {
    feeds.remove(feed);
    return !feeds.isEmpty();
  }

  /** The seq up to which events were read from the log. */
  synchronized long loaded() {
    return loaded;
  }

  /** Adds the events that follow what is here; others are passed over. */
  void add(List<JobEvent> events) {
    List<ChannelFeed> wake;
    synchronized (this) {
      for (JobEvent event : events) {
        if (event.seq() == loaded + 1) {
          tail.addLast(event);
          loaded = event.seq();
        }
      }
      while (tail.size() > EVENTS_MAX) {
        tail.removeFirst();
      }
      wake = List.copyOf(feeds);
    }
    wake.forEach(ChannelFeed::wake);
  }

  /** True where events behind that seq are no longer here, and have to be read from the log. */
  synchronized boolean behind(long seq) {
    return seq < start();
  }

  /** The seq behind which all loaded events are here. */
  synchronized long start() {
    return loaded - tail.size();
  }

  /** The events here with a higher seq. */
  synchronized List<JobEvent> after(long seq) {
    List<JobEvent> fresh = new ArrayList<>();
    for (JobEvent event : tail) {
      if (event.seq() > seq) {
        fresh.add(event);
      }
    }
    return fresh;
  }

  void close() {
    List<ChannelFeed> all;
    synchronized (this) {
      all = List.copyOf(feeds);
    }
    all.forEach(ChannelFeed::close);
  }
}
