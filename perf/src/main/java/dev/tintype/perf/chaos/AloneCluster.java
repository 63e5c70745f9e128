package dev.tintype.perf.chaos;

import dev.tintype.node.DataFolder;
import java.nio.file.Path;
import java.util.List;

/** One process with every role, its PostgreSQL, and a line between it and its clients. */
final class AloneCluster implements Cluster {
  private static final String SERVER = "server";
  private static final String DATABASE = "database";

  /** Server and database at the same moment, as a power cut does. */
  private static final String BOTH = "server+database";

  private static final String CLIENTS = "clients";

  private final FaultyProxy proxy = new FaultyProxy(CLIENTS);
  private final Member server;

  AloneCluster(Path folder) {
    server =
        new Member(
            SERVER, folder.resolve(SERVER), List.of("--device", "cpu", "--model", Recipe.MODEL));
    try {
      proxy.to(server.start());
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  @Override
  public String origin() {
    return "http://127.0.0.1:" + proxy.port();
  }

  @Override
  public String apiKey() {
    return DataFolder.apiKey(server.data()).orElseThrow();
  }

  @Override
  public List<String> killable() {
    return List.of(SERVER, DATABASE, BOTH);
  }

  @Override
  public List<String> pausable() {
    return List.of(SERVER);
  }

  @Override
  public List<String> lines() {
    return List.of(CLIENTS);
  }

  @Override
  public synchronized void kill(String target) {
    if (!target.equals(SERVER)) {
      // The server starts it again by itself.
      server.database().ifPresent(ProcessHandle::destroyForcibly);
    }
    if (!target.equals(DATABASE)) {
      server.kill();
      proxy.to(server.start());
    }
  }

  @Override
  public void pause(String target) {
    server.pause();
  }

  @Override
  public void resume(String target) {
    server.resume();
  }

  @Override
  public void line(String target, FaultyProxy.Line line) {
    proxy.set(line);
  }

  @Override
  public List<String> revive() {
    if (server.alive()) {
      return List.of();
    }
    proxy.to(server.start());
    return List.of(SERVER);
  }

  @Override
  public void close() {
    server.close();
    proxy.close();
  }
}
