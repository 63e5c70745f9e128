package dev.tintype.node.cli;

import dev.tintype.node.NodeConfig;
import dev.tintype.node.SettingsReader;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The settings that commands share. Each has an equivalent in the environment and in the file. */
final class NodeOptions {
  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where everything is kept (env TINTYPE_DATA; default ./data).")
  Path data;

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Port of the server (env TINTYPE_PORT; default 8080; 0: a free one).")
  String port;

  @Option(
      names = "--models",
      paramLabel = "DIR",
      description =
          "Folder of model folders (env TINTYPE_MODELS; default models beside the program).")
  Path models;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description = "Model to use (env TINTYPE_MODEL; default: the first found).")
  String model;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description =
          "auto, cpu, cuda, cuda:NUMBER, cuda:UUID or reference (env TINTYPE_DEVICE; default"
              + " auto).")
  String device;

  @Option(
      names = "--deterministic",
      description =
          "A picture's bits do not depend on what shares its batch; on a GPU pictures are then"
              + " stepped one by one (env TINTYPE_DETERMINISTIC; default off).")
  boolean deterministic;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Settings as YAML (*.yaml) or key = value lines (env TINTYPE_CONFIG); unknown keys are"
              + " errors.")
  Path config;

  /** Flags over environment over file over defaults. */
  SettingsReader reader() {
    SettingsReader reader = new SettingsReader(home());
    Optional.ofNullable(config)
        .or(() -> Optional.ofNullable(System.getenv("TINTYPE_CONFIG")).map(Path::of))
        .ifPresent(reader::file);
    return reader
        .environment(System.getenv())
        .flag("data", data)
        .flag("port", port)
        .flag("models", models)
        .flag("model", model)
        .flag("device", device)
        .flag("deterministic", deterministic ? true : null);
  }

  NodeConfig read() {
    return reader().read();
  }

  /** Folder of the program, as the launcher tells it. */
  static Path home() {
    return Path.of(System.getProperty("tintype.home", "."));
  }
}
