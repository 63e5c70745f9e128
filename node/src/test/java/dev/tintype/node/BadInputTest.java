package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.node.cli.Tintype;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each bad input gets one clear error with a code, no stack trace, and a bad exit code. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputTest {
  @TempDir Path temporary;
  private Path data;
  private Node node;

  @BeforeAll
  void start() throws IOException {
    data = Homes.data();
    node = Node.open(PictureTest.config(data), (part, found) -> {}, () -> {});
  }

  @AfterAll
  void stop() throws IOException {
    node.close();
    Homes.delete(data);
  }

  private record Outcome(int exit, String errors) {}

  private static Outcome run(String... arguments) {
    PrintStream real = System.err;
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    try {
      return new Outcome(Tintype.run(arguments), errors.toString(StandardCharsets.UTF_8));
    } finally {
      System.setErr(real);
    }
  }

  private static void refused(Outcome outcome, String code) {
    assertThat(outcome.errors()).contains("tintype: [" + code + "] ");
    assertThat(outcome.errors()).doesNotContain("\tat ").doesNotContain("Exception");
    assertThat(outcome.exit()).isNotZero();
  }

  static Stream<Arguments> prompts() {
    return Stream.of(
        Arguments.of("x".repeat(100_000), "body.too_large"),
        Arguments.of("x".repeat(10_000), "prompt.too_long"),
        Arguments.of("a tree --ar 0:1", "prompt.aspect_ratio"),
        Arguments.of("a tree --steps NaN", "prompt.parameter.value"),
        Arguments.of("a tree --steps 0", "prompt.parameter.value"),
        Arguments.of("a tree --cfg NaN", "prompt.parameter.value"),
        Arguments.of("a tree --seed -1", "prompt.parameter.value"),
        Arguments.of("a tree --no", "prompt.parameter.value"),
        Arguments.of("a tree --frobnicate 3", "prompt.parameter.unknown"),
        Arguments.of("--seed 7", "prompt.empty"),
        Arguments.of("a \0 tree", "prompt.characters"));
  }

  @ParameterizedTest
  @MethodSource("prompts")
  void aPromptThatCannotBe(String prompt, String code) {
    refused(imagine("--", prompt), code);
  }

  @Test
  void aModelThatIsNotThere() {
    refused(imagine("--model", "sdxl-turbo", "a tree"), "model.unknown");
    refused(
        run("serve", "--data", fresh("unknown"), "--port", "0", "--model", "sdxl-turbo"),
        "model.missing");
    refused(
        run("serve", "--data", fresh("none"), "--port", "0", "--models", temporary.toString()),
        "model.missing");
  }

  @Test
  void aKeyThatNobodyHas() {
    refused(imagine("--server", node.url(), "--api-key", "tt_nobody", "a tree"), "auth.malformed");
  }

  @Test
  void aServerThatIsNotThere() {
    refused(
        imagine("--server", "http://localhost:1", "--api-key", "tt_x", "a tree"),
        "client.unreachable");
  }

  @Test
  void weightsThatAreCutOffOrDamaged() throws IOException {
    Path models = Files.createDirectory(temporary.resolve("models"));
    Path model = Homes.copyOfModel(models);
    Path weights = model.resolve("text_encoder/model.safetensors");
    byte[] whole = Files.readAllBytes(weights);
    try (RandomAccessFile file = new RandomAccessFile(weights.toFile(), "rw")) {
      file.setLength(file.length() / 2);
    }
    refused(serve("cut", models), "weights.truncated");
    byte[] damaged = whole.clone();
    damaged[3] = (byte) 0x7f; // The length of the header: two billion bytes.
    Files.write(weights, damaged);
    refused(serve("damaged", models), "weights.header");
    Files.delete(weights);
    refused(serve("gone", models), "weights.not_found");
  }

  private Outcome serve(String name, Path models) {
    return run("serve", "--data", fresh(name), "--port", "0", "--models", models.toString());
  }

  @Test
  void aPortThatIsTaken() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("localhost"))) {
      refused(
          run("serve", "--data", fresh("port"), "--port", Integer.toString(taken.getLocalPort())),
          "port.taken");
    }
  }

  @Test
  void aDataFolderThatCannotBeWritten() {
    // Even root cannot write below /proc.
    refused(run("serve", "--data", "/proc/tintype", "--port", "0"), "data.read_only");
  }

  @Test
  void aDataFolderThatAnotherProcessUses() {
    refused(run("serve", "--data", data.toString(), "--port", "0"), "data.in_use");
  }

  @Test
  void settingsThatMakeNoSense() throws IOException {
    Path file = temporary.resolve("tintype.properties");
    Files.writeString(file, "prot = 8080\n");
    refused(run("serve", "--config", file.toString()), "config.unknown");
    refused(run("serve", "--port", "99999"), "config.port");
    refused(run("serve", "--roles", "gateway,painter"), "config.roles");
    refused(run("serve", "--roles", "gateway"), "config.database");
    Path gateway =
        Files.writeString(
            temporary.resolve("gateway.yaml"),
            """
            database: { url: "jdbc:postgresql://127.0.0.1:9/none" }
            port: 0
            """);
    refused(
        run(
            "serve",
            "--roles",
            "gateway",
            "--config",
            gateway.toString(),
            "--data",
            temporary.resolve("gateway").toString()),
        "config.edge_keys");
    refused(run("serve", "--device", "abacus"), "config.device");
    refused(run("serve", "--no-such-flag"), "cli.usage");
    refused(run("golden", temporary.toString()), "golden.folder");
    refused(run("imagine", "-o", "/no/such/folder/out.png", "a tree"), "cli.out");
  }

  private Outcome imagine(String... arguments) {
    return run(
        Stream.concat(
                Stream.of(
                    "imagine",
                    "--data",
                    data.toString(),
                    "-o",
                    temporary.resolve("out.png").toString()),
                List.of(arguments).stream())
            .toArray(String[]::new));
  }

  private String fresh(String name) {
    return temporary.resolve("data-" + name).toString();
  }
}
