package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tintype.node.cli.Tintype;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.DirectoryBlobStore;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** {@code tintype sweep} beside a running server, and alone. */
@Isolated("it reads what the process prints")
class SweepNodeTest {
  @Test
  void sweepsBesideAServerAndWithoutOne() throws Exception {
    Path data = Homes.data();
    try {
      BlobStore blobs;
      String orphan;
      try (Node node =
          Node.open(
              new SettingsReader(Homes.repository())
                  .environment(Map.of())
                  .flag("data", data)
                  .flag("port", 0)
                  .flag("roles", "gateway,edge,queue")
                  .read(),
              (part, found) -> {},
              () -> {})) {
        assertThat(sweep(data).path("seen").asInt()).as("marks the empty store").isZero();
        blobs = new DirectoryBlobStore(data.resolve("blobs"));
        orphan = blobs.put(new byte[] {1, 2, 3});
        assertThat(sweep(data).path("young").asInt()).isEqualTo(1);
        Files.setLastModifiedTime(
            blobs.file(orphan).orElseThrow(),
            FileTime.from(Instant.now().minus(Duration.ofDays(2))));
        JsonNode dry = sweep(data, "--dry-run");
        assertThat(dry.path("dry_run").asBoolean()).isTrue();
        assertThat(dry.path("orphans").asInt()).isEqualTo(1);
        assertThat(dry.path("orphan_bytes").asInt()).isEqualTo(3);
        assertThat(blobs.exists(orphan)).isTrue();
        assertThat(node.url()).isNotEmpty();
      }
      assertThat(sweep(data).path("orphans").asInt()).as("the database is started").isEqualTo(1);
      assertThat(blobs.exists(orphan)).isFalse();
      assertThat(Tintype.run("sweep", "--data", data.resolve("nothing").toString()))
          .isEqualTo(Tintype.FAILED);
      assertThat(
              Tintype.run(
                  "sweep", "--data", data.toString(), "--forget-user", "nobody@example.org"))
          .isEqualTo(Tintype.USAGE);
    } finally {
      Homes.delete(data);
    }
  }

  private static JsonNode sweep(Path data, String... more) throws Exception {
    String[] command = new String[4 + more.length];
    System.arraycopy(new String[] {"sweep", "--json", "--data", data.toString()}, 0, command, 0, 4);
    System.arraycopy(more, 0, command, 4, more.length);
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      assertThat(Tintype.run(command)).isZero();
    } finally {
      System.setOut(before);
    }
    return new ObjectMapper().readTree(printed.toString(StandardCharsets.UTF_8));
  }
}
