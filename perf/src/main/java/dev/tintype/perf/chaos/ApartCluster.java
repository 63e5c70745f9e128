package dev.tintype.perf.chaos;

import dev.tintype.node.DataFolder;
import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.store.PostgresConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A gateway with the edge, two workers, and one PostgreSQL, which this process runs; a line of its
 * own between each member and the database, and one before the gateway. The pictures are in one
 * folder that all of them see.
 */
final class ApartCluster implements Cluster {
  private static final String DATABASE = "database";
  private static final String GATEWAY = "gateway";
  private static final String CLIENTS = "clients";

  /** Of this run's throw-away URLs only. */
  private static final String EDGE_KEY = "chaos:" + "00112233445566778899aabbccddeeff".repeat(2);

  private final EmbeddedPostgres database;
  private final Map<String, Member> members = new LinkedHashMap<>();
  private final Map<String, FaultyProxy> proxies = new LinkedHashMap<>();

  ApartCluster(Path folder) {
    database = EmbeddedPostgres.start(folder.resolve(DATABASE));
    try {
      proxies.put(CLIENTS, new FaultyProxy(CLIENTS));
      add(folder, GATEWAY, List.of("--roles", "gateway,edge"));
      for (String worker : List.of("worker-1", "worker-2")) {
        add(
            folder,
            worker,
            List.of("--roles", "worker", "--device", "cpu", "--model", Recipe.MODEL));
      }
    } catch (IOException e) {
      close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void add(Path folder, String name, List<String> arguments) throws IOException {
    FaultyProxy proxy = new FaultyProxy(line(name));
    proxies.put(line(name), proxy);
    PostgresConfig postgres = database.config();
    int port = Integer.parseInt(postgres.url().replaceAll(".*:(\\d+)/.*", "$1"));
    proxy.to(port);
    Path settings = folder.resolve(name + ".properties");
    Files.createFile(
        settings,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(
        settings,
        """
        database.url = %s
        database.user = %s
        database.password = %s
        edge.keys = %s
        """
            .formatted(
                postgres.url().replace(":" + port + "/", ":" + proxy.port() + "/"),
                postgres.user(),
                postgres.password(),
                EDGE_KEY));
    Path data = Files.createDirectories(folder.resolve(name));
    Path blobs = Files.createDirectories(folder.resolve("blobs"));
    Files.createSymbolicLink(data.resolve("blobs"), blobs);
    Member member =
        new Member(
            name,
            data,
            Stream.concat(arguments.stream(), Stream.of("--config", settings.toString())).toList());
    members.put(name, member);
    started(name, member.start());
  }

  private static String line(String member) {
    return member + ">" + DATABASE;
  }

  private void started(String name, int port) {
    if (name.equals(GATEWAY)) {
      proxies.get(CLIENTS).to(port);
    }
  }

  @Override
  public String origin() {
    return "http://127.0.0.1:" + proxies.get(CLIENTS).port();
  }

  @Override
  public String apiKey() {
    return DataFolder.apiKey(members.get(GATEWAY).data()).orElseThrow();
  }

  @Override
  public List<String> killable() {
    return Stream.concat(members.keySet().stream(), Stream.of(DATABASE)).toList();
  }

  @Override
  public List<String> pausable() {
    return List.copyOf(members.keySet());
  }

  @Override
  public List<String> lines() {
    return List.copyOf(proxies.keySet());
  }

  @Override
  public void kill(String target) {
    if (target.equals(DATABASE)) {
      // It is supervised by this process and comes back on the same port.
      database.process().destroyForcibly();
    } else {
      Member member = members.get(target);
      synchronized (member) {
        member.kill();
        started(target, member.start());
      }
    }
  }

  @Override
  public void pause(String target) {
    members.get(target).pause();
  }

  @Override
  public void resume(String target) {
    members.get(target).resume();
  }

  @Override
  public void line(String target, FaultyProxy.Line line) {
    proxies.get(target).set(line);
  }

  @Override
  public List<String> revive() {
    List<Member> ended = members.values().stream().filter(member -> !member.alive()).toList();
    ended.forEach(member -> started(member.name(), member.start()));
    return ended.stream().map(Member::name).toList();
  }

  @Override
  public void close() {
    members.values().forEach(Member::close);
    proxies.values().forEach(FaultyProxy::close);
    database.close();
  }
}
